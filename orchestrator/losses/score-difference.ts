import { z } from 'zod';
import { Batch, meanSquare, perSample, pick, positive, UnitScalars } from './inputs.ts';
import { defineLoss } from './spec.ts';
import { words } from './symbols.ts';

/** Eq. 18 (10, 14-17): the difference of the two routes' scores; the square is a mean over a latent's elements. */
export const scoreDifference = defineLoss({
  name: 'score_difference',
  equation: 'Eq. 18 (10, 14-17)',
  formula: '1/(1 − ᾱ_t)·‖ε_θ(Z̄_A,t, …, F_Φ1(A_0)) − ε_θ(Z̄_B,t, …, F_Φ2(B_0))‖²',
  symbols: {
    noise_pred_a: 'ε_θ of route A: (B, …)',
    noise_pred_b: 'ε_θ of route B: (B, …)',
    alphas_cumprod: words.alphas_cumprod,
  },
  inputs: z.strictObject({ noise_pred_a: Batch, noise_pred_b: Batch, alphas_cumprod: UnitScalars }),
  values: ({ noise_pred_a, noise_pred_b, alphas_cumprod }) =>
    perSample(
      noise_pred_a,
      noise_pred_b,
      (a, b, index, count) => meanSquare(a, b) / positive(1 - pick(alphas_cumprod, index, count), '1 - alphas_cumprod'),
    ),
});
