import { z } from 'zod';
import { Keypoints, LoggedNumber } from './primitives.ts';

export const Route = z.enum(['text_only', 'primary', 'secondary']);
export type Route = z.output<typeof Route>;

/** One generated picture and what the judge sees in it. */
export const JudgedImage = z.strictObject({
  image: z.string().describe('PNG, relative to the stage folder.'),
  keypoints: Keypoints.describe('As the judge finds them; the third number is its confidence.'),
  keypoint_error_px: z.number().describe('Mean distance to the target over its visible keypoints, px.'),
  in_loss_error_px: z.number().describe('The same by the detector of the loss.'),
  pck: z.number().describe('PCK@0.1 of the image side.'),
  detected: z.boolean(),
  scene_drift: LoggedNumber.describe(
    'Mean |Z_A - Z_B| outside both silhouettes, images in [-1, 1]; null for text only.',
  ),
});
export type JudgedImage = z.output<typeof JudgedImage>;

/** A figure as the worker makes it: one prompt, one pose, three pictures. */
export const FigureResult = z.strictObject({
  prompt: z.string(),
  pose: z.string(),
  image_size: z.int(),
  control: z.string(),
  target: Keypoints,
  text_only: JudgedImage,
  primary: JudgedImage,
  secondary: JudgedImage.nullable(),
});
export type FigureResult = z.output<typeof FigureResult>;

/** evaluate/result.json: held-out pairs, in their order. */
export const EvaluateResult = z.strictObject({
  image_size: z.int(),
  pairs: z.array(
    z.strictObject({
      a: z.int(),
      b: z.int(),
      prompt: z.string(),
      pose: z.string(),
      image_a: z.string().describe('The primary with A_0: what scene drift is measured against.'),
      text_only: JudgedImage,
      primary: JudgedImage,
      secondary: JudgedImage,
    }),
  ),
});
export type EvaluateResult = z.output<typeof EvaluateResult>;

/** train/result.json */
export const TrainResult = z.strictObject({
  steps: z.int(),
  stopped_early: z.boolean(),
  adapter: z.string().describe('Folder that T2IAdapter.from_pretrained loads, relative to the stage folder.'),
  adapter_sha256: z.string(),
  num_trained_parameters: z.int(),
  device: z.string(),
});
export type TrainResult = z.output<typeof TrainResult>;

/** cache/result.json */
export const CacheResult = z.strictObject({
  num_latents: z.int(),
  latent_shape: z.array(z.int()),
  prompt_embeds_shape: z.array(z.int()),
  feature_shapes: z.array(z.array(z.int())),
});
export type CacheResult = z.output<typeof CacheResult>;
