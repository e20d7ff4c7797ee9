import { PosetwinError } from '../errors.ts';
import { stepLoss } from '../losses/index.ts';
import { meanOf } from './bootstrap.ts';

/** What one step saw at one t, as the worker logs it: unweighted means over the global batch, null where not finite. */
export interface LoggedVisit {
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

/** One optimiser step: at one t, or under `update: per-trajectory` at every t. */
export interface LoggedStep {
  /** 1 after the first optimiser step */
  step: number;
  visits: readonly LoggedVisit[];
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
export const lossOf = ({ t, terms }: LoggedVisit, q: QByStep): number =>
  stepLoss(terms.target_pose ?? Number.NaN, terms.pose_residual ?? Number.NaN, qAt(q, t));

const TOLERANCE = 1e-5;

const isSame = (recomputed: number, logged: number): boolean =>
  // Both not finite: the same divergence on either side, which is for the verdict to say.
  !(Number.isFinite(recomputed) || Number.isFinite(logged)) ||
  Math.abs(recomputed - logged) <= TOLERANCE * Math.abs(recomputed);

/** Throws `loss_mismatch` where a logged loss is further than 1e-5 (relative) from L_t of the logged terms. */
export const checkLogged = ({ step, visits }: LoggedStep, q: QByStep): void => {
  for (const visit of visits) {
    const [recomputed, logged] = [lossOf(visit, q), visit.loss ?? Number.NaN];
    if (isSame(recomputed, logged)) continue;
    throw new PosetwinError(
      'loss_mismatch',
      `step ${step} (t = ${visit.t}): the worker logs a loss of ${logged}, its terms give ${recomputed}`,
      { hint: 'the worker and the orchestrator disagree on Eq. 40 or on Q: report this as a bug' },
    );
  }
};

/** One value of a series; t groups values whose level differs by design. */
export interface SeriesPoint {
  step: number;
  t: number;
  value: number;
}

/** The t of a point that stands for a whole trajectory: all such points have one level. */
const EVERY_T = 0;

const pointOf = ({ step, visits }: LoggedStep, q: QByStep): SeriesPoint => ({
  step,
  t: visits.length === 1 ? (visits[0]?.t ?? EVERY_T) : EVERY_T,
  value: meanOf(visits.map(visit => lossOf(visit, q))),
});

/** L_t of every step, or its mean over t where a step visits all of them, in the order of steps. */
export const lossSeries = (steps: readonly LoggedStep[], q: QByStep): SeriesPoint[] =>
  steps.map(step => pointOf(step, q)).sort((first, second) => first.step - second.step);
