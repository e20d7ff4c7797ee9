import { z } from 'zod';
import { Mask, Points, perSample } from './inputs.ts';
import { squaredDistance } from './keypoint-mask.ts';
import { defineLoss } from './spec.ts';
import { words } from './symbols.ts';

const readings = ['plain', 'absolute', 'squared'] as const;

/** Eq. 19-21: `plain` is Eq. 21; the others take Eq. 20's difference as |·| or (·)², which is what Eq. 19 asks for. */
export const poseResidual = defineLoss({
  name: 'pose_residual',
  equation: 'Eq. 19-21',
  formula: '‖b − a‖²; |r| or r² with r = ‖b − a‖² − ‖b_0 − a_0‖²',
  symbols: {
    pred_keypoints_b: words.pred_keypoints_b,
    pred_keypoints_a: words.pred_keypoints_a,
    mask: words.mask,
    keypoints_a: words.keypoints_a,
    keypoints_b: words.keypoints_b,
    reading: 'which of the readings',
  },
  readings,
  inputs: z.strictObject({
    pred_keypoints_b: Points,
    pred_keypoints_a: Points,
    mask: Mask,
    keypoints_a: Points,
    keypoints_b: Points,
    reading: z.enum(readings),
  }),
  values: ({ pred_keypoints_b, pred_keypoints_a, mask, keypoints_a, keypoints_b, reading }) => {
    const distance = squaredDistance(pred_keypoints_b, pred_keypoints_a, mask);
    if (reading === 'plain') return distance;
    const rest = perSample(distance, squaredDistance(keypoints_b, keypoints_a, mask), (d, constant) => d - constant);
    return rest.map(reading === 'absolute' ? Math.abs : r => r ** 2);
  },
});
