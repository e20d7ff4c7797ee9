import { z } from 'zod';
import { Batch, perSample, pick, positive, UnitScalars, zip } from './inputs.ts';
import { defineLoss } from './spec.ts';
import { words } from './symbols.ts';

const readings = ['x_t', 'as-printed'] as const;

/** Eq. 41-42 before the decoder, diffusers' pred_original_sample; the print has ε where x_t belongs. */
export const oneStepImage = defineLoss({
  name: 'one_step_image',
  equation: 'Eq. 41-42',
  formula: '(x_t − √(1−ᾱ_t)·ε_θ)/√ᾱ_t; as printed with ε in the place of x_t',
  symbols: {
    latents: words.latents,
    noise: words.noise,
    noise_pred: words.noise_pred,
    alphas_cumprod: words.alphas_cumprod,
    reading: 'which of the readings',
  },
  readings,
  inputs: z.strictObject({
    latents: Batch,
    noise: Batch,
    noise_pred: Batch,
    alphas_cumprod: UnitScalars,
    reading: z.enum(readings),
  }),
  values: ({ latents, noise, noise_pred, alphas_cumprod, reading }) =>
    perSample(reading === 'x_t' ? latents : noise, noise_pred, (start, guess, index, count) => {
      const alpha_cumprod = positive(pick(alphas_cumprod, index, count), 'alphas_cumprod');
      const [gain, spread] = [1 / Math.sqrt(alpha_cumprod), Math.sqrt(1 - alpha_cumprod)];
      return zip(start, guess, (x, e) => gain * (x - spread * e));
    }).flat(),
});
