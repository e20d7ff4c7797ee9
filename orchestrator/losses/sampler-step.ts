import { z } from 'zod';
import { Batch, perSample, pick, positive, UnitScalars, zip } from './inputs.ts';
import { defineLoss } from './spec.ts';
import { words } from './symbols.ts';

const readings = ['ddim', 'as-printed'] as const;

/** Eq. 9 and 11: one step of the sampler; the print has √(1−ᾱ_t) in the last term where DDIM has √(1−ᾱ_{t−1}). */
export const samplerStep = defineLoss({
  name: 'sampler_step',
  equation: 'Eq. 9, 11',
  formula: '√ᾱ_{t−1}·(Z̄_t − √(1−ᾱ_t) ε_θ)/√ᾱ_t + √(1−ᾱ_{t−1}) ε_θ',
  symbols: {
    latents: words.latents,
    noise_pred: words.noise_pred,
    alphas_cumprod: words.alphas_cumprod,
    alphas_cumprod_prev: 'ᾱ_{t−1}, 1 for t = 1: one number or (B,)',
    reading: 'which of the readings',
  },
  readings,
  inputs: z.strictObject({
    latents: Batch,
    noise_pred: Batch,
    alphas_cumprod: UnitScalars,
    alphas_cumprod_prev: UnitScalars,
    reading: z.enum(readings),
  }),
  values: ({ latents, noise_pred, alphas_cumprod, alphas_cumprod_prev, reading }) =>
    perSample(latents, noise_pred, (state, guess, index, count) => {
      const now = positive(pick(alphas_cumprod, index, count), 'alphas_cumprod');
      const previous = pick(alphas_cumprod_prev, index, count);
      const kept = Math.sqrt(previous / now);
      const added = Math.sqrt(1 - (reading === 'ddim' ? previous : now)) - kept * Math.sqrt(1 - now);
      return zip(state, guess, (x, e) => kept * x + added * e);
    }).flat(),
});
