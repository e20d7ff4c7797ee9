import { z } from 'zod';
import { qReadings, resolveQ } from '../schedule/q.ts';
import { defineLoss } from './spec.ts';

/** Eq. 37: Q, which brings the two terms to one scale. */
export const q = defineLoss({
  name: 'q',
  equation: 'Eq. 37',
  formula: '2·E_t[α_t/(1−α_t)], 2·Σ_t t·α_t/(1−α_t), 2·α_t/(1−α_t) for each t, or a number',
  symbols: { odds: 'α_t/(1−α_t): (T,), null where α_t = 1, which is left out', reading: 'a reading or a number' },
  readings: qReadings,
  inputs: z.strictObject({
    odds: z.array(z.number().nullable()).min(1),
    reading: z.union([z.enum(qReadings), z.number()]),
  }),
  values: ({ odds, reading }) => {
    const found = resolveQ({ odds }, reading);
    return (typeof found === 'number' ? [found] : found).map(value => value ?? Infinity);
  },
});
