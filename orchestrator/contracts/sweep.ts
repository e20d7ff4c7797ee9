import { z } from 'zod';
import { Experiment } from './experiment.ts';
import { Origins } from './origin.ts';
import { PositiveInt, Seed, Slug } from './primitives.ts';
import { Slurm } from './slurm.ts';

/** Dotted path of the experiment, as `--set` takes it → its value. */
export const Assignment = z.record(z.string().min(1), z.unknown());
export type Assignment = z.output<typeof Assignment>;

/** `sweep` of an experiment file: no part of the experiment, but how many of them it stands for. */
export const Sweep = z.strictObject({
  axes: z
    .record(z.string().min(1), z.array(z.unknown()).min(1))
    .default({})
    .describe('Dotted path, as --set takes it → its values: numbers, lists, mappings, names of configs.'),
  strategy: z
    .enum(['grid', 'list', 'random'])
    .default('grid')
    .describe('Every combination; axes of equal length side by side; or `max_trials` combinations drawn by `seed`.'),
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
  seed: Seed.default(0).describe('Of `random`.'),
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
  outcome: z.enum(['done', 'failed', 'preempted', 'cancelled']),
  exit_code: z.int().nullable(),
  /** code and message of the error, where the trial could still tell */
  code: z.string().nullable(),
  message: z.string().nullable(),
  next: z.enum(['none', 'retry']),
});
export type TrialAttempt = z.output<typeof TrialAttempt>;
