import type { LoggedStep, LoggedVisit, SeriesPoint } from '../../../orchestrator/convergence/index.ts';
import { PosetwinError } from '../../../orchestrator/errors.ts';

/** Park and Miller's generator: another one than the code under test uses. */
export const uniform = (seed: number): (() => number) => {
  let state = (seed * 48271 + 11) % 2147483647;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
};

/** Normal deviates by Box and Muller; with `phi` an AR(1) process of variance 1. */
export const noise = (seed: number, phi = 0): (() => number) => {
  const random = uniform(seed);
  const normal = () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
  let last = normal();
  return () => {
    last = phi * last + Math.sqrt(1 - phi ** 2) * normal();
    return last;
  };
};

/** Steps 1 … length; t runs through the cycle; `value` of (step, t). */
export const seriesOf = (length: number, cycle: number, value: (step: number, t: number) => number): SeriesPoint[] =>
  Array.from({ length }, (_, index) => {
    const [step, t] = [index + 1, ((index * 7) % cycle) + 1];
    return { step, t, value: value(step, t) };
  });

/** One t whose pictures err by `error` (rms, along one axis) from b_0 towards a, at distance 0.5. */
export const visit = (t: number, q: number, error: number): LoggedVisit => {
  const terms = {
    target_pose: error ** 2,
    pose_residual: (0.5 - error) ** 2,
    delta_l: 0.25,
    lower_bound_distance: 0.25,
    score_difference: 0.1,
    scene: 0.05,
  };
  return { t, terms, loss: q * terms.target_pose + terms.pose_residual };
};

/** A step that visits one t. */
export const loggedStep = (step: number, t: number, q: number, error: number): LoggedStep => ({
  step,
  visits: [visit(t, q, error)],
});

/** A step that visits every t from `count` down, as `update: per-trajectory` does; `error` of t. */
export const trajectoryStep = (step: number, count: number, q: number, error: (t: number) => number): LoggedStep => ({
  step,
  visits: Array.from({ length: count }, (_, index) => visit(count - index, q, error(count - index))),
});

/** The first visit of a step with some of its numbers replaced. */
export const withVisit = ({ step, visits }: LoggedStep, changes: Partial<LoggedVisit>): LoggedStep => ({
  step,
  visits: visits.map((seen, index) => (index === 0 ? { ...seen, ...changes } : seen)),
});

/** The code of the error that `action` raises; undefined where it raises none. */
export const codeOf = (action: () => unknown): string | undefined => {
  try {
    action();
  } catch (error) {
    if (error instanceof PosetwinError) return error.code;
    throw error;
  }
  return undefined;
};
