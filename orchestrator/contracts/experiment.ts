import { z } from 'zod';
import { Dataset } from './dataset.ts';
import { Convergence, Method, Primary, Train } from './method.ts';
import { Adapter, Backbone, Detector } from './models.ts';
import { Fraction, PositiveInt, Seed, Slug } from './primitives.ts';
import { Schedule } from './schedule.ts';

/** One common evaluation sampler for text only, primary and secondary. */
export const Evaluate = z.strictObject({
  num_pairs: PositiveInt.max(100_000).default(48).describe('Held-out pairs that are sampled.'),
  num_inference_steps: PositiveInt.max(1000).default(20),
  guidance_scale: z.number().min(1).max(30).default(3),
  batch_size: PositiveInt.max(1024).default(16),
  detection_threshold: Fraction.default(0.5).describe('Mean confidence from which a person counts as found.'),
});
export type Evaluate = z.output<typeof Evaluate>;

/** What the audit measures beside the training itself. */
export const Audit = z.strictObject({
  num_pairs: PositiveInt.max(100_000).default(16).describe('Training pairs that are looked at, at every t.'),
  batch_size: PositiveInt.max(1024).default(16),
});
export type Audit = z.output<typeof Audit>;

/** Fig. 3: one prompt and pose under (a) text only, (b) the primary, (c) the secondary adapter. */
export const Figures = z.strictObject({
  prompt: z.string().min(1).default('a girl, waving her left hand'),
  pose: z
    .string()
    .min(1)
    .default('waving_left')
    .describe('A pose of the mini world by its name, or an OpenPose keypoints JSON file.'),
  seed: Seed.default(0),
});
export type Figures = z.output<typeof Figures>;

/** Weights & Biases beside the journal and TensorBoard, which are always written. */
export const Wandb = z.strictObject({
  project: z.string().min(1).default('posetwin'),
  entity: z.string().nullable().default(null),
  mode: z
    .enum(['offline', 'online'])
    .default('offline')
    .describe('`offline` writes a folder for `wandb sync`; only `online` uses the network.'),
});
export type Wandb = z.output<typeof Wandb>;

/** The whole experiment file. The only place of defaults: neither Python nor any other file has one. */
export const Experiment = z.strictObject({
  name: Slug.describe('Names the folder under runs/.'),
  description: z.string().default(''),
  seed: Seed.default(0),
  device: z.enum(['auto', 'cuda', 'mps', 'cpu']).default('auto'),
  num_threads: z.int().min(0).max(1024).default(0).describe('CPU threads a process; 0 takes all cores.'),
  num_workers: z
    .int()
    .min(0)
    .max(1024)
    .default(0)
    .describe('Processes that assemble the set: read, detect, describe, draw; 0: one a GPU, or one a core.'),
  rank_timeout_s: z
    .number()
    .gt(0)
    .default(1800)
    .describe('A rank that gets no further for so long ends the run, with its stack.'),
  wandb: Wandb.nullable().default(null).describe('Needs the package wandb.'),
  backbone: Backbone.prefault({}),
  adapter: Adapter.prefault({}),
  detector: Detector.prefault({ kind: 'mini' }),
  judge: Detector.prefault({ kind: 'mini-judge' }),
  dataset: Dataset.prefault({}),
  schedule: Schedule.prefault({ kind: 'scaled_linear' }),
  method: Method.prefault({}),
  primary: Primary.nullable().default(null).describe('Without it, `adapter` is the primary as it is.'),
  train: Train.prefault({}),
  convergence: Convergence.prefault({}),
  evaluate: Evaluate.prefault({}),
  audit: Audit.prefault({}),
  figures: Figures.prefault({}),
});
export type Experiment = z.output<typeof Experiment>;
export type ExperimentInput = z.input<typeof Experiment>;
