import { PosetwinError } from '../errors.ts';
import { stepLoss } from '../losses/index.ts';

/** One optimiser step as the worker logs it: unweighted means over the global batch, null where not finite. */
export interface LoggedStep {
  /** 1 after the first optimiser step */
  step: number;
  /** 1 … T */
  t: number;
  terms: {
    target_pose: number | null;
    pose_residual: number | null;
    delta_l: number | null;
    lower_bound_distance: number | null;
    score_difference?: number | null;
    scene?: number | null;
  };
  /** L_t of Eq. 40 with Q, as the worker computed it */
  loss: number | null;
}

/** One Q for all steps, or Q for each t (index t − 1; null where infinite: such t are never trained on). */
export type QByStep = number | readonly (number | null)[];

/** Q at t. Throws `contract_violation` where a step was logged at a t without a Q. */
export const qAt = (q: QByStep, t: number): number => {
  const value = typeof q === 'number' ? q : q[t - 1];
  if (value !== undefined && value !== null) return value;
  throw new PosetwinError('contract_violation', `a step was logged at t = ${t}, which has no finite Q`, {
    hint: 'only the t that the schedule calls trainable may be visited',
  });
};

/** L_t of Eq. 40, from the unweighted terms; NaN where a term is not finite. */
export const lossOf = ({ t, terms }: LoggedStep, q: QByStep): number =>
  stepLoss(terms.target_pose ?? Number.NaN, terms.pose_residual ?? Number.NaN, qAt(q, t));

const TOLERANCE = 1e-5;

/** Throws `loss_mismatch` where the logged loss is further than 1e-5 (relative) from L_t of the logged terms. */
export const checkLogged = (step: LoggedStep, q: QByStep): void => {
  const recomputed = lossOf(step, q);
  const logged = step.loss ?? Number.NaN;
  // Both not finite: the same divergence on either side, which is for the verdict to say.
  if (!Number.isFinite(recomputed) && !Number.isFinite(logged)) return;
  if (Math.abs(recomputed - logged) <= TOLERANCE * Math.abs(recomputed)) return;
  throw new PosetwinError(
    'loss_mismatch',
    `step ${step.step} (t = ${step.t}): the worker logs a loss of ${logged}, its terms give ${recomputed}`,
    { hint: 'the worker and the orchestrator disagree on Eq. 40 or on Q: report this as a bug' },
  );
};

/** One value of a series; t groups values whose level differs by design. */
export interface SeriesPoint {
  step: number;
  t: number;
  value: number;
}

/** L_t of every step, in the order of steps. */
export const lossSeries = (steps: readonly LoggedStep[], q: QByStep): SeriesPoint[] =>
  steps
    .map(step => ({ step: step.step, t: step.t, value: lossOf(step, q) }))
    .sort((first, second) => first.step - second.step);
