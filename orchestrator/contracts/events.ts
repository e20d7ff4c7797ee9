import { z } from 'zod';
import { LoggedNumber, UnixSeconds } from './primitives.ts';

const event = <T extends string, S extends z.ZodRawShape>(type: T, shape: S) =>
  z.strictObject({ type: z.literal(type), time: UnixSeconds, ...shape });

/** The unweighted loss terms at one visited t, each a mean over the global batch. */
export const LoggedTerms = z.strictObject({
  target_pose: LoggedNumber.describe('First part of Eq. 36, without Q.'),
  pose_residual: LoggedNumber.describe('Eq. 21.'),
  score_difference: LoggedNumber.describe('Eq. 18.'),
  scene: LoggedNumber.describe('Our scene term.'),
  delta_l: LoggedNumber.describe('Eq. 38 on this batch.'),
  lower_bound_distance: LoggedNumber.describe('Mean squared distance of b_0 and a; times Q / (Q + 1) it is L*.'),
});
export type LoggedTerms = z.output<typeof LoggedTerms>;

/** What training saw at one t. */
export const Visit = z.strictObject({
  t: z.int().describe('1 … T; the same on all ranks.'),
  terms: LoggedTerms,
  loss: LoggedNumber.describe('L_t of Eq. 40, with Q.'),
  confidence: LoggedNumber.describe('Mean confidence of the detector on Z_B,t.'),
});
export type Visit = z.output<typeof Visit>;

export const StepEvent = event('step', {
  step: z.int().describe('1 after the first optimiser step.'),
  visits: z.array(Visit).min(1).describe('One t, or under `update: per-trajectory` every t from T down.'),
  objective: LoggedNumber.describe('What was minimised.'),
  grad_norm: LoggedNumber,
  learning_rate: z.number(),
  duration_ms: z.number(),
});
export type StepEvent = z.output<typeof StepEvent>;

/** One optimiser step of the primary adapter (Eq. 12). */
const PrimaryStepEvent = event('primary_step', {
  step: z.int(),
  t: z.int(),
  primary_noise: LoggedNumber.describe('Eq. 12 under `primary_weight`, a mean over the global batch.'),
  grad_norm: LoggedNumber,
  learning_rate: z.number(),
  duration_ms: z.number(),
});

/** The gradient self-test of one term at one t, on rank 0 (audit, point 11). */
export const GateEvent = event('gradient_gate', {
  term: z.string(),
  t: z.int(),
  gradient: LoggedNumber.describe('Norm of the gradient with respect to the adapter.'),
  finite_difference: LoggedNumber.describe('Slope of the term along that gradient, by central differences.'),
  verdict: z.enum(['passes', 'dead', 'not_finite', 'disagrees']),
});
export type GateEvent = z.output<typeof GateEvent>;

/** Both sides of Eq. 33 at one t, on noised states of a fixed batch (audit, point 7). */
export const GradientsEvent = event('gradients', {
  step: z.int().describe('Optimiser steps done; 0 before the first.'),
  t: z.int(),
  noise_norm: LoggedNumber.describe('Norm of the gradient of the noise loss (Eq. 12 for route B) with respect to Φ2.'),
  pose_norm: LoggedNumber.describe('Norm of the gradient of the target pose term with respect to Φ2.'),
  cosine: LoggedNumber.describe('Of the angle between the two; null where one is zero.'),
});
export type GradientsEvent = z.output<typeof GradientsEvent>;

/** The loss on held-out pairs, over fixed t and noise. */
export const ValidationEvent = event('validation', {
  step: z.int().describe('Optimiser steps done.'),
  num_pairs: z.int(),
  objective: LoggedNumber.describe('What training minimises.'),
  terms: z.record(z.string(), LoggedNumber).describe('Unweighted terms, means over pairs and t.'),
  best: z.boolean().describe('The least `metric_for_best_model` so far: kept in `best`.'),
});
export type ValidationEvent = z.output<typeof ValidationEvent>;

/** One line of a worker's standard output and of events.jsonl. */
export const WorkerEvent = z.discriminatedUnion('type', [
  event('started', { stage: z.string(), world_size: z.int(), pid: z.int(), device: z.string(), resumed_from: z.int() }),
  event('progress', { done: z.number(), total: z.number(), unit: z.string() }),
  StepEvent,
  PrimaryStepEvent,
  GateEvent,
  GradientsEvent,
  ValidationEvent,
  event('samples', { step: z.int(), path: z.string().describe('Folder of PNG files.') }),
  event('loss_scale', {
    step: z.int(),
    loss_scale: z.number().describe('Factor on the loss in fp16, from the next step on.'),
    skipped: z.boolean().describe('The gradient overflowed: this step changed no weight.'),
  }),
  event('smoke', {
    num_samples: z.array(z.int()).describe('The different numbers of samples that a pass of rank 0 works on.'),
    duration_ms: z.number().describe('Of the gradients of one optimiser step, once everything is warm.'),
    peak_memory_bytes: z.int().nullable().describe('On the device; null where it does not tell.'),
  }),
  event('checkpoint', { step: z.int(), path: z.string() }),
  event('checkpoint_skipped', { path: z.string(), reason: z.string() }),
  event('boundary', { step: z.int().describe('The worker waits here for an answer in the decisions journal.') }),
  event('warning', { code: z.string(), message: z.string() }),
  event('error', {
    code: z.string(),
    message: z.string(),
    hint: z.string().nullable(),
    traceback: z.string(),
    rank: z.int(),
  }),
  event('finished', { status: z.enum(['done', 'stopped']), seconds: z.number() }),
]);
export type WorkerEvent = z.output<typeof WorkerEvent>;

/** One line of decisions.jsonl: TypeScript's answer at a boundary. */
export const Decision = z.strictObject({
  step: z.int(),
  decision: z.enum(['continue', 'stop']),
  reason: z.string(),
});
export type Decision = z.output<typeof Decision>;
