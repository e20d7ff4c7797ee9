import { z } from 'zod';
import { PositiveScalars, pick, Vector } from './inputs.ts';
import { defineLoss } from './spec.ts';
import { words } from './symbols.ts';

/** min over b of Q‖b − b_0‖² + ‖b − a‖² = Q/(Q + 1)·‖b_0 − a‖², reached at b* = (Q b_0 + a)/(Q + 1). */
export const leastLoss = (distance: number, q: number): number => (q / (q + 1)) * distance;

/** L*: the least value of Eq. 40. */
export const lowerBound = defineLoss({
  name: 'lower_bound',
  equation: 'audit, point 2',
  formula: 'L* = Q/(Q + 1)·D',
  symbols: { distance: words.distance, q: words.q },
  inputs: z.strictObject({ distance: Vector, q: PositiveScalars }),
  values: ({ distance, q }) => distance.map((value, index) => leastLoss(value, pick(q, index, distance.length))),
});
