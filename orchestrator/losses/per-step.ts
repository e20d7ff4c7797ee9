import { z } from 'zod';
import { PositiveScalars, perSample, pick, Vector } from './inputs.ts';
import { defineLoss } from './spec.ts';
import { words } from './symbols.ts';

/** L_t of Eq. 40 from its unweighted terms. */
export const stepLoss = (target_pose: number, pose_residual: number, q: number): number =>
  q * target_pose + pose_residual;

/** Eq. 40: the loss of one step. */
export const perStep = defineLoss({
  name: 'per_step',
  equation: 'Eq. 40',
  formula: 'L_t = Q·‖b − b_0‖² + ‖b − a‖²',
  symbols: {
    target_pose: '‖b − b_0‖²: one for each',
    pose_residual: '‖b − a‖² or another reading of Eq. 19-21: one for each',
    q: words.q,
  },
  inputs: z.strictObject({ target_pose: Vector, pose_residual: Vector, q: PositiveScalars }),
  values: ({ target_pose, pose_residual, q }) =>
    perSample(target_pose, pose_residual, (target, residual, index, count) =>
      stepLoss(target, residual, pick(q, index, count)),
    ),
});
