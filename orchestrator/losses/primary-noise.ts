import { z } from 'zod';
import { Batch, meanSquare, perSample, pick, positive, UnitScalars } from './inputs.ts';
import { defineLoss } from './spec.ts';
import { words } from './symbols.ts';

const readings = ['w(t)', 'simple'] as const;

/** w(t) of Eq. 13. */
const weight = (alpha: number, alpha_cumprod: number): number =>
  (1 - alpha) / positive(2 * alpha * (1 - alpha_cumprod), 'alphas (1 - alphas_cumprod)');

/** Eq. 12-13: what the primary adapter is trained with; the square is a mean over a latent's elements. */
export const primaryNoise = defineLoss({
  name: 'primary_noise',
  equation: 'Eq. 12-13',
  formula: 'w·‖ε − ε_θ(Z̄_A,t, t, τ(y), F_Φ1(A_0))‖², w(t) = (1 − α_t)/(2 α_t (1 − ᾱ_t)) or 1',
  symbols: {
    noise: words.noise,
    noise_pred: words.noise_pred,
    alphas: 'α_t: one number or (B,), in [0, 1]',
    alphas_cumprod: words.alphas_cumprod,
    reading: 'which of the readings',
  },
  readings,
  inputs: z.strictObject({
    noise: Batch,
    noise_pred: Batch,
    alphas: UnitScalars,
    alphas_cumprod: UnitScalars,
    reading: z.enum(readings),
  }),
  values: ({ noise, noise_pred, alphas, alphas_cumprod, reading }) =>
    perSample(noise, noise_pred, (truth, guess, index, count) => {
      const square = meanSquare(truth, guess);
      return reading === 'simple'
        ? square
        : weight(pick(alphas, index, count), pick(alphas_cumprod, index, count)) * square;
    }),
});
