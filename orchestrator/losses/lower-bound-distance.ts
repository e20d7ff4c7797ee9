import { z } from 'zod';
import { Mask, Points } from './inputs.ts';
import { squaredDistance } from './keypoint-mask.ts';
import { defineLoss } from './spec.ts';
import { words } from './symbols.ts';

/** D of the lower bound: how far the target pose is from what route A shows. */
export const lowerBoundDistance = defineLoss({
  name: 'lower_bound_distance',
  equation: 'audit, points 2 and 3',
  formula: 'D = ‖b_0 − a‖²',
  symbols: { pred_keypoints_a: words.pred_keypoints_a, keypoints_b: words.keypoints_b, mask: words.mask },
  inputs: z.strictObject({ pred_keypoints_a: Points, keypoints_b: Points, mask: Mask }),
  values: ({ pred_keypoints_a, keypoints_b, mask }) => squaredDistance(keypoints_b, pred_keypoints_a, mask),
});
