import { z } from 'zod';
import { Batch, flatten, mean, mismatch, type Nested, PixelMask, perSample, pick, UnitScalars, zip } from './inputs.ts';
import { defineLoss } from './spec.ts';
import { words } from './symbols.ts';

/** Mean over the colours of the pixels that count; 0 when none does. `image` is (C, H, W), `mask` (H, W). */
const drift = (difference: number[], mask: number[]): number => {
  if (difference.length % mask.length !== 0) throw mismatch('images and scene_mask');
  const seen = difference.filter((_, index) => mask[index % mask.length] !== 0);
  return seen.length === 0 ? 0 : mean(seen);
};

const absolute = (a: Nested, b: Nested): number[] => zip(a, b, (x, y) => Math.abs(x - y));

/** Our scene term: what [0048] asks for in words. */
export const scene = defineLoss({
  name: 'scene',
  equation: '[0048], our term',
  formula: '√ᾱ_t · mean of |Z_A,t − Z_B,t| outside both dilated silhouettes, Z_A,t without gradient',
  symbols: {
    image_a: 'Z_A,t: (B, C, H, W) in [-1, 1]',
    image_b: 'Z_B,t: (B, C, H, W) in [-1, 1]',
    scene_mask: '(B, H, W), 1 outside both dilated silhouettes',
    alphas_cumprod: words.alphas_cumprod,
  },
  inputs: z.strictObject({ image_a: Batch, image_b: Batch, scene_mask: PixelMask, alphas_cumprod: UnitScalars }),
  values: ({ image_a, image_b, scene_mask, alphas_cumprod }) =>
    perSample(
      perSample(image_a, image_b, absolute),
      scene_mask,
      (difference, mask, index, count) =>
        Math.sqrt(pick(alphas_cumprod, index, count)) * drift(difference, flatten(mask)),
    ),
});
