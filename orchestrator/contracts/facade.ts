import { z } from 'zod';
import { Split } from './dataset.ts';
import { Adapter, Backbone, Detector } from './models.ts';
import { Keypoints } from './primitives.ts';
import { Schedule } from './schedule.ts';

const shape = z.array(z.int());

/** Every question that TypeScript may ask Python over the bridge: method → parameters and answer. */
export const facadeContract = {
  probe_environment: {
    params: z.strictObject({}),
    result: z.strictObject({
      python: z.string(),
      packages: z.record(z.string(), z.string()),
      devices: z.array(
        z.strictObject({ name: z.string(), kind: z.enum(['cpu', 'cuda', 'mps']), memory_mb: z.number() }),
      ),
    }),
  },
  list_poses: {
    params: z.strictObject({}),
    result: z.strictObject({
      version: z.string().describe('Changes whenever the mini world draws differently.'),
      poses: z.array(z.strictObject({ name: z.string(), split: Split, share: z.number().gt(0) })),
    }),
  },
  probe_model: {
    params: z.strictObject({ backbone: Backbone, adapter: Adapter, detector: Detector, image_size: z.int() }),
    result: z.strictObject({
      latent_shape: shape,
      prompt_embeds_shape: shape,
      feature_shapes: z.array(shape),
      num_parameters: z.strictObject({ unet: z.int(), vae: z.int(), text_encoder: z.int(), adapter: z.int() }),
      num_keypoints: z.int().describe('How many keypoints the detector finds.'),
      keypoint_gradient: z
        .number()
        .describe('Norm of d(keypoints)/d(image): zero would mean that the pose terms train nothing.'),
    }),
  },
  schedule: {
    params: z.strictObject({ config: Schedule }),
    result: z.strictObject({ alphas_cumprod: z.array(z.number()), log_alphas_cumprod: z.array(z.number()) }),
  },
  evaluate_loss_term: {
    params: z.strictObject({ term: z.string(), inputs: z.record(z.string(), z.unknown()) }),
    result: z.strictObject({
      value: z.number().describe('The mean of `values`.'),
      values: z.array(z.number()).describe('What the term gives, in row-major order: one for each sample, or more.'),
    }),
  },
  detect_keypoints: {
    params: z.strictObject({ paths: z.array(z.string()).max(64), detector: Detector }),
    result: z.strictObject({
      images: z.array(z.strictObject({ path: z.string(), keypoints: Keypoints.nullable(), reason: z.string() })),
    }),
  },
} as const satisfies Record<string, { params: z.ZodType; result: z.ZodType }>;
export type FacadeContract = typeof facadeContract;
