import { z } from 'zod';
import { Dataset } from './dataset.ts';
import { Audit, Evaluate, Figures, Wandb } from './experiment.ts';
import { Convergence, Method, Primary, Train } from './method.ts';
import { Adapter, Backbone, Detector } from './models.ts';
import { Fraction, LoggedNumber, Seed } from './primitives.ts';
import { Source } from './sources.ts';

/** What the worker gets as job.json. `spec` is exactly what the stage's key is made of; paths and devices are not. */
const job = <S extends string, I extends string, P extends z.ZodType>(stage: S, inputs: readonly I[], spec: P) =>
  z.strictObject({
    stage: z.literal(stage),
    key: z.string(),
    output_dir: z.string(),
    device: z.enum(['auto', 'cuda', 'mps', 'cpu']),
    num_threads: z.int(),
    num_workers: z.int(),
    rank_timeout_s: z.number(),
    wandb: Wandb.nullable(),
    inputs: z.strictObject(Object.fromEntries(inputs.map(name => [name, z.string()])) as Record<I, z.ZodString>),
    spec,
  });

/** A schedule as the sampler needs it; arrays are indexed t - 1, t = 1 is the cleanest step. */
export const ResolvedSchedule = z.strictObject({
  alphas: z.array(z.number()),
  alphas_cumprod: z.array(z.number()),
  log_alphas_cumprod: z.array(z.number()),
  timesteps: z.array(z.number()).describe('What the U-Net is given for each t; fractional under snr-matched.'),
  trainable: z.array(z.boolean()).describe('False for the t that `singular: drop` leaves out.'),
  q: z.array(LoggedNumber).describe('Q for each t; all equal unless `q: per-step`; null where infinite.'),
});
export type ResolvedSchedule = z.output<typeof ResolvedSchedule>;

/** Lists what the sources of pictures on disk hold; a drawn source has nothing to list. */
export const IndexJob = job('index', [], z.strictObject({ sources: z.array(Source) }));
/**
 * The input `index` is the folder of the stage `index`, empty where no source has pictures on disk; `part` is `2/8` for
 * the third eighth of the chunks, empty for all of them and the end.
 */
export const AssembleJob = job(
  'assemble',
  ['items', 'index', 'part'],
  z.strictObject({ seed: Seed, dataset: Dataset }),
);
export const CacheJob = job('cache', ['assemble'], z.strictObject({ backbone: Backbone }));

/** The input `primary` of the jobs below is Φ1: `mini`, or a folder that T2IAdapter.from_pretrained loads. */
export const PrimaryJob = job(
  'primary',
  ['assemble', 'cache', 'primary'],
  z.strictObject({
    seed: Seed,
    backbone: Backbone,
    adapter: Adapter,
    schedule: ResolvedSchedule,
    method: Method,
    primary: Primary,
  }),
);
export const FeaturesJob = job('features', ['assemble', 'primary'], z.strictObject({ adapter: Adapter }));

/** θ, Φ1, Ψ and the method: what the loss is made of. */
const learning = {
  seed: Seed,
  backbone: Backbone,
  adapter: Adapter,
  detector: Detector,
  schedule: ResolvedSchedule,
  method: Method,
};
export const TrainJob = job(
  'train',
  ['assemble', 'cache', 'features', 'primary', 'decisions'],
  z.strictObject({ ...learning, train: Train, convergence: Convergence }),
);
export const AuditJob = job(
  'audit',
  ['assemble', 'cache', 'features', 'primary', 'train'],
  z.strictObject({ ...learning, audit: Audit, detection_threshold: Fraction }),
);
/** Held-out pairs: how they are sampled, and who judges them. */
const judging = {
  seed: Seed,
  backbone: Backbone,
  adapter: Adapter,
  detector: Detector,
  judge: Detector,
  evaluate: Evaluate,
};
export const BaselineJob = job('baseline', ['assemble', 'primary'], z.strictObject(judging));
export const EvaluateJob = job('evaluate', ['assemble', 'baseline', 'train'], z.strictObject(judging));
/** What pictures are made with, and who judges them. */
const painting = {
  backbone: Backbone,
  adapter: Adapter,
  detector: Detector,
  judge: Detector,
  dataset: Dataset,
  evaluate: Evaluate,
};
export const FigureJob = job('figures', ['primary', 'train'], z.strictObject({ ...painting, figures: Figures }));
const Pose = z
  .string()
  .describe('A pose of the mini world, a photo, OpenPose keypoints (.json) or a control map (.png).');
export const SampleJob = job(
  'sample',
  ['primary', 'train'],
  z.strictObject({ ...painting, prompt: z.string().min(1), pose: Pose, seed: Seed, num_images: z.int().min(1) }),
);

export const Job = z.discriminatedUnion('stage', [
  IndexJob,
  AssembleJob,
  CacheJob,
  PrimaryJob,
  FeaturesJob,
  TrainJob,
  AuditJob,
  BaselineJob,
  EvaluateJob,
  FigureJob,
  SampleJob,
]);
export type Job = z.output<typeof Job>;
export type JobOf<S extends Job['stage']> = Extract<Job, { stage: S }>;
