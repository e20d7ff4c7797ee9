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
    'Mean |Z_A - Z_B| outside both silhouettes, pictures as saved, in [-1, 1]; null for text only.',
  ),
  scene_ssim: LoggedNumber.describe('SSIM of Z_A and Z_B outside both silhouettes; null for text only.'),
  attributes: z
    .record(z.string(), z.boolean())
    .describe('Attributes that the text names (mini world: shirt, scene), true where the picture shows them.'),
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

const BaselinePair = z.strictObject({
  a: z.int(),
  b: z.int(),
  prompt: z.string(),
  pose: z.string(),
  image_a: z.string().describe('The primary with A_0: what scene drift is measured against.'),
  text_only: JudgedImage,
  primary: JudgedImage,
});

/** baseline/result.json: held-out pairs, in their order, without the secondary. */
export const BaselineResult = z.strictObject({ image_size: z.int(), pairs: z.array(BaselinePair) });
export type BaselineResult = z.output<typeof BaselineResult>;

/** evaluate/result.json: the same pairs with all three routes; the stage folder holds every picture. */
export const EvaluateResult = z.strictObject({
  image_size: z.int(),
  pairs: z.array(BaselinePair.extend({ secondary: JudgedImage })),
});
export type EvaluateResult = z.output<typeof EvaluateResult>;

/** train/result.json, and primary/result.json */
export const TrainResult = z.strictObject({
  steps: z.int(),
  stopped_early: z.boolean(),
  refused: z.boolean().describe('The gradient self-test found nothing to train with under this schedule.'),
  adapter: z.string().describe('Folder that T2IAdapter.from_pretrained loads, relative to the stage folder.'),
  adapter_sha256: z.string(),
  best_step: z
    .int()
    .nullable()
    .describe('Of the best validation, whose adapter is in `best`; null where nothing was validated.'),
  num_trained_parameters: z.int(),
  device: z.string(),
});
export type TrainResult = z.output<typeof TrainResult>;

/** cache/result.json */
export const CacheResult = z.strictObject({
  num_latents: z.int(),
  latent_shape: z.array(z.int()),
  prompt_embeds_shape: z.array(z.int()),
});
export type CacheResult = z.output<typeof CacheResult>;

/** features/result.json */
export const FeaturesResult = z.strictObject({ feature_shapes: z.array(z.array(z.int())) });
export type FeaturesResult = z.output<typeof FeaturesResult>;

/** What the audit sees at one t: unweighted means over its pairs. x = ε_θ of route A − ε, y = ε_θ of route B − ε. */
export const AuditAtT = z.strictObject({
  t: z.int(),
  noise_error_a: LoggedNumber.describe('‖x‖² on noised states, a mean over a latent’s elements.'),
  noise_error_b: LoggedNumber.describe('‖y‖² likewise.'),
  inner_product: LoggedNumber.describe('⟨x, y⟩ likewise.'),
  noised_target_pose: LoggedNumber.describe('First part of Eq. 36 without Q, on noised states.'),
  target_pose: LoggedNumber.describe('The same on the states that the run trains on.'),
  score_difference: LoggedNumber.describe('Eq. 18 at this t on the states that the run trains on.'),
  detection_rate_a: z.number().describe('Share of Z_A,t in which the detector finds a person.'),
  detection_rate_b: z.number(),
});
export type AuditAtT = z.output<typeof AuditAtT>;

/** audit/result.json */
export const AuditResult = z.strictObject({
  num_pairs: z.int(),
  per_t: z.array(AuditAtT),
  detector: z.strictObject({
    num_images: z.int(),
    squared_error: LoggedNumber.describe('‖Ψ∘g(Z) − given‖² on pictures of the set, squared fractions of the frame.'),
    detection_rate: z.number(),
  }),
});
export type AuditResult = z.output<typeof AuditResult>;
