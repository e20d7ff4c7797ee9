import { boundPose, leastLoss } from '../losses/index.ts';
import { type Interval, meanOf } from './bootstrap.ts';
import { achievedLoss, type PlateauOptions, type PlateauState, plateau } from './plateau.ts';
import { type LoggedStep, lossOf, lossSeries, type QByStep, qAt } from './series.ts';
import { lastWindow } from './window.ts';

export interface VerdictOptions extends PlateauOptions {
  /** relative distance to the theory value that counts as converged; 0.0004 in the paper */
  tolerance: number;
  /** the theory values hold for `plain` alone: the others let the residual vanish */
  pose_residual: 'plain' | 'absolute' | 'squared';
}

/** What the logged terms say about convergence. Losses are means of L_t over the window; null: not finite or no value. */
export interface Verdict {
  plateau: PlateauState;
  /** on a plateau, and not above the theory value by more than the tolerance */
  converged: boolean;
  tolerance: number;
  /** of the last step */
  steps: number;
  /** first and last step of the window */
  window: [number, number] | null;
  slope: Interval | null;
  relative_change: Interval | null;
  achieved: Interval | null;
  /** the mean over the window's steps where Q differs by t */
  q: number | null;
  /** ΔL of Eq. 38 */
  delta_l: number | null;
  /** L* of audit point 2 */
  lower_bound: number | null;
  /** (achieved − ΔL)/ΔL and (achieved − L*)/L* */
  error_to_delta_l: number | null;
  error_to_lower_bound: number | null;
  /** √D, the rms distance of b_0 and a, in fractions of the frame */
  pose_distance: number | null;
  /** upper bound of rms‖b − b_0‖ as a fraction of √D (audit, point 3) */
  pose_bound: number | null;
  /** what rms‖b − b_0‖ was, as a fraction of √D */
  pose_error: number | null;
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

const relative = (achieved: Interval | null, theory: number | null): number | null =>
  achieved === null || theory === null ? null : finite((achieved.mean - theory) / theory);

/** Mean over steps; NaN where a step has no value. */
const meanTerm = (steps: readonly LoggedStep[], name: keyof LoggedStep['terms']): number =>
  meanOf(steps.map(({ terms }) => terms[name] ?? Number.NaN));

/** ΔL, L* and the bound on the pose over the same steps as the achieved loss. */
const theory = (steps: readonly LoggedStep[], q: QByStep) => {
  const bounded = steps.map(step => ({
    loss: lossOf(step, q),
    distance: step.terms.lower_bound_distance ?? Number.NaN,
    q: qAt(q, step.t),
  }));
  const distance = Math.sqrt(meanOf(bounded.map(step => step.distance)));
  return {
    delta_l: finite(meanTerm(steps, 'delta_l')),
    lower_bound: finite(meanOf(bounded.map(step => leastLoss(step.distance, step.q)))),
    pose_distance: finite(distance),
    pose_bound: finite(boundPose(bounded) / distance),
    pose_error: finite(Math.sqrt(meanTerm(steps, 'target_pose')) / distance),
  };
};

/** Eq. 20's readings subtract the constant: neither ΔL nor L* is a value of theirs. */
const withoutTheory = { delta_l: null, lower_bound: null, pose_bound: null };

const isConverged = (state: PlateauState, error: number | null, tolerance: number): boolean =>
  state === 'yes' && (error === null || error <= tolerance);

/** The verdict on a run, from its unweighted terms alone: L_t is recomputed. Throws `contract_violation` (see qAt). */
export const verdict = (logged: readonly LoggedStep[], q: QByStep, options: VerdictOptions): Verdict => {
  const ordered = [...logged].sort((first, second) => first.step - second.step);
  const series = lossSeries(ordered, q);
  const steps = lastWindow(ordered, options);
  const { state, slope, relative_change } = plateau(series, options);
  const achieved = achievedLoss(series, options);
  const values = { ...theory(steps, q), ...(options.pose_residual === 'plain' ? {} : withoutTheory) };
  const error_to_delta_l = relative(achieved, values.delta_l);
  const [first, last] = [steps[0], steps.at(-1)];
  return {
    plateau: state,
    converged: isConverged(state, error_to_delta_l, options.tolerance),
    tolerance: options.tolerance,
    steps: last?.step ?? 0,
    window: first === undefined || last === undefined ? null : [first.step, last.step],
    slope,
    relative_change,
    achieved,
    q: finite(meanOf(steps.map(({ t }) => qAt(q, t)))),
    ...values,
    error_to_delta_l,
    error_to_lower_bound: relative(achieved, values.lower_bound),
  };
};
