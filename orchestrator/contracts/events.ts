import { z } from 'zod';
import { LoggedNumber, UnixSeconds } from './primitives.ts';

const event = <T extends string, S extends z.ZodRawShape>(type: T, shape: S) =>
  z.strictObject({ type: z.literal(type), time: UnixSeconds, ...shape });

/** The unweighted loss terms of one optimiser step, each a mean over the global batch. */
export const LoggedTerms = z.strictObject({
  target_pose: LoggedNumber.describe('First part of Eq. 36, without Q.'),
  pose_residual: LoggedNumber.describe('Eq. 21.'),
  score_difference: LoggedNumber.describe('Eq. 18.'),
  scene: LoggedNumber.describe('Our scene term.'),
  delta_l: LoggedNumber.describe('Eq. 38 on this batch.'),
  lower_bound_distance: LoggedNumber.describe('Mean squared distance of b_0 and a; times Q / (Q + 1) it is L*.'),
});
export type LoggedTerms = z.output<typeof LoggedTerms>;

export const StepEvent = event('step', {
  step: z.int().describe('1 after the first optimiser step.'),
  t: z.int().describe('1 … T; one t a step, the same on all ranks.'),
  terms: LoggedTerms,
  loss: LoggedNumber.describe('L_t of Eq. 40, with Q.'),
  objective: LoggedNumber.describe('What was minimised.'),
  grad_norm: LoggedNumber,
  learning_rate: z.number(),
  confidence: LoggedNumber.describe('Mean confidence of the detector on the one-step image of route B.'),
  duration_ms: z.number(),
});
export type StepEvent = z.output<typeof StepEvent>;

/** One line of a worker's standard output and of events.jsonl. */
export const WorkerEvent = z.discriminatedUnion('type', [
  event('started', { stage: z.string(), world_size: z.int(), pid: z.int(), device: z.string(), resumed_from: z.int() }),
  event('progress', { done: z.number(), total: z.number(), unit: z.string() }),
  StepEvent,
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
