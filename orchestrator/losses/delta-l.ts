import { z } from 'zod';
import { Mask, Points } from './inputs.ts';
import { squaredDistance } from './keypoint-mask.ts';
import { defineLoss } from './spec.ts';
import { words } from './symbols.ts';

/** Eq. 38: the value that the patent says the loss converges to. */
export const deltaL = defineLoss({
  name: 'delta_l',
  equation: 'Eq. 38',
  formula: '‖Ψ∘g(B_0) − Ψ∘g(A_0)‖²',
  symbols: { keypoints_a: words.keypoints_a, keypoints_b: words.keypoints_b, mask: words.mask },
  inputs: z.strictObject({ keypoints_a: Points, keypoints_b: Points, mask: Mask }),
  values: ({ keypoints_a, keypoints_b, mask }) => squaredDistance(keypoints_b, keypoints_a, mask),
});
