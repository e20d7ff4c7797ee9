import type { LoggedStep, SeriesPoint } from '../../../orchestrator/convergence/index.ts';

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

/** A logged step whose pictures err by `error` (rms, along one axis) from b_0 towards away from a, at distance 0.5. */
export const loggedStep = (step: number, t: number, q: number, error: number): LoggedStep => {
  const terms = {
    target_pose: error ** 2,
    pose_residual: (0.5 - error) ** 2,
    delta_l: 0.25,
    lower_bound_distance: 0.25,
    score_difference: 0.1,
    scene: 0.05,
  };
  return { step, t, terms, loss: q * terms.target_pose + terms.pose_residual };
};
