import { z } from 'zod';
import { Experiment } from './experiment.ts';
import { Origins } from './origin.ts';
import { LoggedNumber, PositiveInt, Seed, Slug } from './primitives.ts';
import { Slurm } from './slurm.ts';

/** Dotted path of the experiment, as `--set` takes it → its value. */
export const Assignment = z.record(z.string().min(1), z.unknown());
export type Assignment = z.output<typeof Assignment>;

const within = z
  .array(z.string().min(1))
  .default([])
  .describe('Axes: a trial is compared only with trials that have the same values there. Empty: with all.');

/** When a trial is not worth going on with, by the `target_pose` of its validations on held-out pairs. */
export const EarlyStopping = z.discriminatedUnion('rule', [
  z.strictObject({
    rule: z.literal('median'),
    min_steps: z.int().min(0).default(0).describe('No trial is cut before this step.'),
    min_trials: PositiveInt.default(5).describe('Other trials that must have a validation at the same step.'),
    within,
  }),
  z.strictObject({
    rule: z.literal('successive_halving'),
    min_steps: PositiveInt.describe('The first rung; the others are at min_steps * eta, min_steps * eta^2, …'),
    eta: z.int().min(2).default(4).describe('Of the trials that have reached a rung, the best 1 / eta go on.'),
    within,
  }),
]);
export type EarlyStopping = z.output<typeof EarlyStopping>;

/** An axis of `bayes` that is no list. */
export const Range = z.strictObject({
  low: z.number(),
  high: z.number(),
  log: z.boolean().default(false).describe('Looked for among the logarithms: for rates and the like.'),
  int: z.boolean().default(false).describe('Whole numbers alone.'),
});
export type Range = z.output<typeof Range>;

/** `sweep` of an experiment file: no part of the experiment, but how many of them it stands for. */
export const Sweep = z.strictObject({
  axes: z
    .record(z.string().min(1), z.union([z.array(z.unknown()).min(1), Range]))
    .default({})
    .describe('Dotted path, as --set takes it → its values: numbers, lists, mappings, names of configs; or a range.'),
  strategy: z
    .enum(['grid', 'list', 'random', 'bayes'])
    .default('grid')
    .describe(
      'Every combination; axes of equal length side by side; `max_trials` combinations drawn by `seed`; or as many, ' +
        'each chosen by what those before it have reached.',
    ),
  include: z.array(Assignment).default([]).describe('Trials beside those of the axes.'),
  exclude: z.array(Assignment).default([]).describe('Drops the combinations in which all of these values stand.'),
  max_trials: PositiveInt.max(10_000).nullable().default(null).describe('At most so many combinations of the axes.'),
  budget_minutes: z
    .number()
    .gt(0)
    // Longer than 24 days no timer of Node can wait.
    .max(34_560)
    .nullable()
    .default(null)
    .describe('After so long the trials at work save a checkpoint and stop; the same command goes on.'),
  seed: Seed.default(0).describe('Of `random` and `bayes`.'),
  early_stopping: EarlyStopping.nullable()
    .default(null)
    .describe('Trials whose held-out pose error falls behind that of the others are cut.'),
  slots: PositiveInt.max(1024).default(1).describe('Trials at a time, on this machine or on the cluster.'),
});
export type Sweep = z.output<typeof Sweep>;

/** What an experiment file says beside its experiment: how many of them it stands for, and where they are run. */
export const SweepSections = z.strictObject({
  sweep: Sweep.prefault({}).describe('Axes over this experiment: one trial for each combination of their values.'),
  slurm: Slurm.nullable().default(null).describe('Trials are jobs of this Slurm cluster; without it, of this machine.'),
});
export const sweepKeys: readonly string[] = Object.keys(SweepSections.shape);

/** Values of the schedule that cannot be computed at a step, and what is done about them. */
export const SingularNote = z.strictObject({
  t: PositiveInt,
  quantity: z.string(),
  kind: z.enum(['infinite', 'undefined', 'underflow']),
  handled: z.enum(['drop', 'clamp', 'error']),
});
export type SingularNote = z.output<typeof SingularNote>;

/** One trial, frozen: what `--trial` runs, whatever became of the file since. */
export const SweepTrial = z.strictObject({
  id: z.string().min(1),
  assignment: Assignment,
  experiment: Experiment,
  origins: Origins,
  singular: z.array(SingularNote),
  /** no longer asked for by the file; what it has computed stays */
  orphaned: z.boolean(),
});
export type SweepTrial = z.output<typeof SweepTrial>;

/** What a sweep is expected to take on the machine that runs it. */
export const SweepEstimate = z.strictObject({
  /** whose experiment was run in small */
  trial: z.string(),
  step_seconds: z.number(),
  /** from the first start to the last end */
  seconds: z.number(),
});
export type SweepEstimate = z.output<typeof SweepEstimate>;

/** runs/<name>/sweep/plan.json */
export const SweepPlan = z.strictObject({
  name: Slug,
  /** absolute path of the experiment file */
  file: z.string(),
  sweep: Sweep,
  /** stages of all trials, orphans left out: the sum, and how many of them are different ones */
  stages: z.strictObject({ total: z.int(), distinct: z.int() }),
  /** null where nothing was measured: few trials, or their smoke run did not get as far as a training */
  estimate: SweepEstimate.nullable().default(null),
  trials: z.array(SweepTrial),
});
export type SweepPlan = z.output<typeof SweepPlan>;

/** One end of a trial's command: a line of runs/<name>/sweep/attempts.jsonl. */
export const TrialAttempt = z.strictObject({
  trial: z.string(),
  /** counted from 1 within one command */
  attempt: PositiveInt,
  started: z.string().nullable(),
  ended: z.string(),
  outcome: z.enum(['done', 'failed', 'preempted', 'cancelled', 'cut']),
  exit_code: z.int().nullable(),
  /** code and message of the error, where the trial could still tell */
  code: z.string().nullable(),
  message: z.string().nullable(),
  next: z.enum(['none', 'retry']),
});
export type TrialAttempt = z.output<typeof TrialAttempt>;

/** One trial cut by the rule of its sweep: a line of runs/<name>/sweep/cuts.jsonl. */
export const TrialCut = z.strictObject({
  trial: z.string(),
  step: PositiveInt,
  /** with its numbers, as it was then: another rule leaves the trial free to go on */
  rule: EarlyStopping,
  /** `target_pose` on held-out pairs that the trial was judged by; null where it was not finite */
  value: LoggedNumber,
  /** the greatest with which it would have gone on */
  threshold: LoggedNumber,
  /** trials with a validation at this step */
  compared_with: z.array(z.string()),
  time: z.string(),
});
export type TrialCut = z.output<typeof TrialCut>;

const valueAt = (experiment: unknown, path: string): unknown =>
  path
    .split('.')
    .reduce(
      (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
      experiment,
    );

/** Equal texts for trials that are compared with each other: their values at the paths of `within`. */
export const groupOf = ({ within: paths }: EarlyStopping, experiment: Experiment): string =>
  JSON.stringify(paths.map(path => valueAt(experiment, path)));
