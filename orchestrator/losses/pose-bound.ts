import { z } from 'zod';
import { mean, PositiveScalars, perSample, pick, Vector } from './inputs.ts';
import { leastLoss } from './lower-bound.ts';
import { defineLoss } from './spec.ts';
import { words } from './symbols.ts';

/** L and D of one step, with its Q. */
export interface BoundedStep {
  loss: number;
  distance: number;
  q: number;
}

/**
 * Upper bound of rms‖b − b_0‖: L − L* = (Q+1)·E‖b − b*‖² and b* − b_0 = (a − b_0)/(Q+1), and the two sides of the
 * triangle add up. For one Q and L = (1+τ)·D it is [1/(Q+1) + √((τ + 1/(Q+1))/(Q+1))]·√D.
 */
export const boundPose = (steps: readonly BoundedStep[]): number => {
  const near = mean(steps.map(({ distance, q }) => distance / (q + 1) ** 2));
  const far = mean(steps.map(({ loss, distance, q }) => (loss - leastLoss(distance, q)) / (q + 1)));
  // Below L* lies rounding alone.
  return Math.sqrt(near) + Math.sqrt(Math.max(far, 0));
};

/** What being at a value of the loss proves about the pose. */
export const poseBound = defineLoss({
  name: 'pose_bound',
  equation: 'audit, point 3',
  formula: 'rms‖b − b_0‖ <= √E[D/(Q+1)²] + √E[(L − L*)/(Q+1)]',
  symbols: { losses: words.losses, distance: words.distance, q: words.q },
  inputs: z.strictObject({ losses: Vector, distance: Vector, q: PositiveScalars }),
  values: ({ losses, distance, q }) => [
    boundPose(
      perSample(losses, distance, (loss, d, index, count) => ({ loss, distance: d, q: pick(q, index, count) })),
    ),
  ],
});
