import { type BoundedStep, boundPose, leastLoss } from '../losses/index.ts';
import { type Interval, meanOf } from './bootstrap.ts';
import { achievedLoss, type PlateauOptions, type PlateauState, plateau } from './plateau.ts';
import { type LoggedStep, type LoggedVisit, lossOf, lossSeries, type QByStep, qAt } from './series.ts';
import { lastWindow } from './window.ts';

export interface VerdictOptions extends PlateauOptions {
  /** relative distance to the theory value that counts as converged; 0.0004 in the paper */
  tolerance: number;
  /** the theory values hold for `plain` alone: the others let the residual vanish */
  pose_residual: 'plain' | 'absolute' | 'squared';
  /** what a mean over t is multiplied by: T under `total: sum` (Eq. 43), else 1 */
  scale: number;
  /** Q under each of its readings, in which the same run is seen again */
  q_readings: Readonly<Record<string, QByStep>>;
}

/** The theory values over the window's steps; null where they do not apply or are not finite. */
export interface Theory {
  /** the mean over the window's visits where Q differs by t */
  q: number | null;
  /** ΔL of Eq. 38 */
  delta_l: number | null;
  /** L* of audit point 2 */
  lower_bound: number | null;
  /** E[1/(Q + 1)]: how far L* lies below ΔL for a perfect primary, as a fraction */
  gap: number | null;
  /** (achieved − ΔL)/ΔL and (achieved − L*)/L* */
  error_to_delta_l: number | null;
  error_to_lower_bound: number | null;
}

/** The run seen with another reading of Q, and what "the tolerance above ΔL" would prove there. */
export interface AtQ extends Theory {
  reading: string;
  achieved: number | null;
  /** the bound of audit point 3 for L = (1 + tolerance)·D: of rms‖b − b_0‖, as a fraction of √D */
  bound_at_tolerance: number | null;
}

/** What the logged terms say about convergence. Losses are means of L_t over the window; null: not finite or no value. */
export interface Verdict extends Theory {
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
  /** √D, the rms distance of b_0 and a, in fractions of the frame */
  pose_distance: number | null;
  /** upper bound of rms‖b − b_0‖ as a fraction of √D (audit, point 3) */
  pose_bound: number | null;
  /** what rms‖b − b_0‖ was, as a fraction of √D */
  pose_error: number | null;
  /** the same run under every reading of Q */
  at_q: AtQ[];
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

const relative = (achieved: number | null, theory: number | null): number | null =>
  achieved === null || theory === null ? null : finite((achieved - theory) / theory);

/** Mean over visits; NaN where one has no value. */
const meanTerm = (visits: readonly LoggedVisit[], name: keyof LoggedVisit['terms']): number =>
  meanOf(visits.map(({ terms }) => terms[name] ?? Number.NaN));

const boundedAt = (visits: readonly LoggedVisit[], q: QByStep): BoundedStep[] =>
  visits.map(visit => ({
    loss: lossOf(visit, q),
    distance: visit.terms.lower_bound_distance ?? Number.NaN,
    q: qAt(q, visit.t),
  }));

/** Eq. 20's readings subtract the constant: neither ΔL nor L* is a value of theirs. */
const withoutTheory = { delta_l: null, lower_bound: null, error_to_delta_l: null, error_to_lower_bound: null };

/** Q at the visited t; where none was visited, at every t that has one: Q is known before the first step. */
const scalesOf = (visits: readonly LoggedVisit[], q: QByStep): number[] => {
  if (visits.length > 0) return visits.map(({ t }) => qAt(q, t));
  return typeof q === 'number' ? [q] : q.filter(value => value !== null);
};

/** ΔL and L* over the same visits as the achieved loss. */
const theoryOf = (
  visits: readonly LoggedVisit[],
  bounded: readonly BoundedStep[],
  scales: readonly number[],
  achieved: number | null,
  { scale, pose_residual }: VerdictOptions,
): Theory => {
  const q = finite(meanOf(scales));
  const gap = finite(meanOf(scales.map(value => 1 / (value + 1))));
  if (pose_residual !== 'plain') return { q, gap, ...withoutTheory };
  const delta_l = finite(scale * meanTerm(visits, 'delta_l'));
  const lower_bound = finite(scale * meanOf(bounded.map(step => leastLoss(step.distance, step.q))));
  return {
    q,
    gap,
    delta_l,
    lower_bound,
    error_to_delta_l: relative(achieved, delta_l),
    error_to_lower_bound: relative(achieved, lower_bound),
  };
};

const atQ = (visits: readonly LoggedVisit[], reading: string, q: QByStep, options: VerdictOptions): AtQ => {
  const bounded = boundedAt(visits, q);
  const achieved = finite(options.scale * meanOf(bounded.map(step => step.loss)));
  const near = bounded.map(step => ({ ...step, distance: 1, loss: 1 + options.tolerance }));
  return {
    reading,
    achieved,
    ...theoryOf(visits, bounded, scalesOf(visits, q), achieved, options),
    bound_at_tolerance: finite(boundPose(near)),
  };
};

const poseOf = (visits: readonly LoggedVisit[], bounded: readonly BoundedStep[], isPlain: boolean) => {
  const distance = Math.sqrt(meanOf(bounded.map(step => step.distance)));
  return {
    pose_distance: finite(distance),
    pose_bound: isPlain ? finite(boundPose(bounded) / distance) : null,
    pose_error: finite(Math.sqrt(meanTerm(visits, 'target_pose')) / distance),
  };
};

const scaled = (interval: Interval | null, factor: number): Interval | null =>
  interval && { mean: interval.mean * factor, low: interval.low * factor, high: interval.high * factor };

const isConverged = (state: PlateauState, error: number | null, tolerance: number): boolean =>
  state === 'yes' && (error === null || error <= tolerance);

/** The verdict on a run, from its unweighted terms alone: L_t is recomputed. Throws `contract_violation` (see qAt). */
export const verdict = (logged: readonly LoggedStep[], q: QByStep, options: VerdictOptions): Verdict => {
  const ordered = [...logged].sort((first, second) => first.step - second.step);
  const series = lossSeries(ordered, q);
  const steps = lastWindow(ordered, options);
  const visits = steps.flatMap(step => step.visits);
  const { state, slope, relative_change } = plateau(series, options);
  const achieved = scaled(achievedLoss(series, options), options.scale);
  const bounded = boundedAt(visits, q);
  const theory = theoryOf(visits, bounded, scalesOf(visits, q), achieved?.mean ?? null, options);
  const [first, last] = [steps[0], steps.at(-1)];
  return {
    plateau: state,
    converged: isConverged(state, theory.error_to_delta_l, options.tolerance),
    tolerance: options.tolerance,
    steps: last?.step ?? 0,
    window: first === undefined || last === undefined ? null : [first.step, last.step],
    slope: scaled(slope, options.scale),
    relative_change,
    achieved,
    ...theory,
    ...poseOf(visits, bounded, options.pose_residual === 'plain'),
    at_q: Object.entries(options.q_readings).map(([reading, value]) => atQ(visits, reading, value, options)),
  };
};
