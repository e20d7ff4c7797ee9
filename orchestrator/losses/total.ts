import { z } from 'zod';
import { mean, Vector } from './inputs.ts';
import { defineLoss } from './spec.ts';
import { words } from './symbols.ts';

const readings = ['mean', 'sum'] as const;

/** Eq. 36 (`mean`) or 43 (`sum`): the loss over all steps. */
export const total = defineLoss({
  name: 'total',
  equation: 'Eq. 36, 43',
  formula: 'E_t[L_t] or Σ_t L_t',
  symbols: { losses: words.losses, reading: 'which of the readings' },
  readings,
  inputs: z.strictObject({ losses: Vector, reading: z.enum(readings) }),
  values: ({ losses, reading }) => [reading === 'mean' ? mean(losses) : losses.reduce((sum, loss) => sum + loss, 0)],
});
