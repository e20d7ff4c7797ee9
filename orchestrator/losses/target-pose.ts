import { z } from 'zod';
import { Mask, Points } from './inputs.ts';
import { squaredDistance } from './keypoint-mask.ts';
import { defineLoss } from './spec.ts';
import { words } from './symbols.ts';

/** First part of Eq. 36 and 40, without Q. */
export const targetPose = defineLoss({
  name: 'target_pose',
  equation: 'Eq. 36, 40 (first part)',
  formula: '‖Ψ∘g_b(Z_B,t) − Ψ∘g_b(B_0)‖²',
  symbols: { pred_keypoints_b: words.pred_keypoints_b, keypoints_b: words.keypoints_b, mask: words.mask },
  inputs: z.strictObject({ pred_keypoints_b: Points, keypoints_b: Points, mask: Mask }),
  values: ({ pred_keypoints_b, keypoints_b, mask }) => squaredDistance(pred_keypoints_b, keypoints_b, mask),
});
