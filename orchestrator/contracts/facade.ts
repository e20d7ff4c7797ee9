import { z } from 'zod';
import { Split } from './dataset.ts';
import { ResolvedSchedule } from './job.ts';
import { Method, Train } from './method.ts';
import { Adapter, Backbone, Detector } from './models.ts';
import { Keypoints, PositiveInt, Seed } from './primitives.ts';
import { Schedule } from './schedule.ts';
import { PoseLayout } from './sources.ts';

const shape = z.array(z.int());

const byDtype = z.record(z.string(), z.number()).describe('Parameters and buffers, by dtype.');

/** The memory of one rank of a training, in MiB. */
export const MemoryEstimate = z.strictObject({
  peaks_mb: z
    .partialRecord(z.enum(['self_test', 'step', 'gradient_sides']), z.number())
    .describe('The most at once in each part of the training; the primary has no sides.'),
  frozen_mb: byDtype,
  trained_mb: byDtype,
  gradients_mb: z.number().describe('With several ranks also the buckets through which they exchange them.'),
  optimizer_mb: z.number(),
  batch_mb: z.number(),
  activations_mb: z.number().describe('What a step holds when its backward pass begins, beyond all of the above.'),
  saved_mb: z.number().describe('So much of it as saved-tensor hooks see.'),
  no_grad_mb: z.number().describe('The most that the parts of a step without a gradient hold.'),
});
export type MemoryEstimate = z.output<typeof MemoryEstimate>;

/** Floating-point operations of one rank and one part of its share of a step; two are a multiply-add. */
export const FlopCount = z.strictObject({
  parts: z
    .record(z.string(), z.strictObject({ forward: z.number(), backward: z.number() }))
    .describe('Of one route: adapter, unet, decoder, detector.'),
  first_t: z.number().describe('A step that sees one t and starts there.'),
  further_t: z.number().describe('What each t more that it comes by adds.'),
  step: z.number().describe('The mean over the schedule.'),
});
export type FlopCount = z.output<typeof FlopCount>;

/** All that memory and operations of a training depend on. */
const TrainingShape = z.strictObject({
  stage: z.enum(['primary', 'train']),
  backbone: z.string(),
  adapter: z.string(),
  detector: Detector,
  image_size: z.int(),
  schedule: ResolvedSchedule,
  method: Method,
  train: Train,
  batch_size: PositiveInt.describe('Samples of one part of a share of a rank.'),
  ranks: PositiveInt,
});

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);

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
  suggest: {
    params: z.strictObject({
      axes: z.array(
        z.strictObject({
          path: z.string(),
          low: z.number(),
          high: z.number(),
          log: z.boolean(),
          kind: z.enum(['float', 'int']),
          choices: z.int().describe('Where it is not 0: one of so many values, by its index, instead of numbers.'),
        }),
      ),
      seed: Seed,
      finished: z.array(
        z.strictObject({
          values: z.record(z.string(), z.number()),
          objective: z.number().nullable().describe('null: the trial came to none.'),
        }),
      ),
      count: PositiveInt,
    }),
    result: z.strictObject({ trials: z.array(z.record(z.string(), z.number())) }),
  },
  count_poses: {
    params: z.strictObject({ path: z.string(), layout: PoseLayout }),
    result: z.strictObject({ rows: PositiveInt }),
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
  estimate_memory: {
    params: TrainingShape,
    result: z.strictObject({
      estimate: MemoryEstimate.nullable(),
      reason: z.string().describe('Why there is no estimate; else empty.'),
      process_mb: z.number().describe('A process with the libraries and no models; 0 where it is unknown.'),
    }),
  },
  count_flops: {
    params: TrainingShape,
    result: z.strictObject({
      flops: FlopCount.nullable(),
      reason: z.string().describe('Why there is no count; else empty.'),
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
  write_parquet: {
    params: z.strictObject({
      path: z.string().describe('Of a new file.'),
      columns: z.array(
        z.strictObject({
          name: z.string(),
          type: z.enum(['string', 'integer', 'number', 'boolean']),
          values: z.array(scalar),
        }),
      ),
    }),
    result: z.strictObject({ rows: z.int() }),
  },
} as const satisfies Record<string, { params: z.ZodType; result: z.ZodType }>;
export type FacadeContract = typeof facadeContract;
