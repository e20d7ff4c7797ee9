import { controlMap } from './control-map.ts';
import { deltaL } from './delta-l.ts';
import { lowerBound } from './lower-bound.ts';
import { lowerBoundDistance } from './lower-bound-distance.ts';
import { normalizeKeypoints } from './normalize-keypoints.ts';
import { oneStepImage } from './one-step-image.ts';
import { perStep } from './per-step.ts';
import { poseBound } from './pose-bound.ts';
import { poseResidual } from './pose-residual.ts';
import { primaryNoise } from './primary-noise.ts';
import { q } from './q.ts';
import { samplerStep } from './sampler-step.ts';
import { scene } from './scene.ts';
import { scoreDifference } from './score-difference.ts';
import type { LossSpec } from './spec.ts';
import { targetPose } from './target-pose.ts';
import { total } from './total.ts';

export { keypointMask } from './keypoint-mask.ts';
export { leastLoss } from './lower-bound.ts';
export { stepLoss } from './per-step.ts';
export { type BoundedStep, boundPose } from './pose-bound.ts';
export type { LossSpec } from './spec.ts';

/** Every loss term by its name, the same names as in python/posetwin/losses. */
export const lossSpecs = {
  normalize_keypoints: normalizeKeypoints,
  control_map: controlMap,
  sampler_step: samplerStep,
  one_step_image: oneStepImage,
  primary_noise: primaryNoise,
  score_difference: scoreDifference,
  pose_residual: poseResidual,
  target_pose: targetPose,
  q,
  per_step: perStep,
  total,
  delta_l: deltaL,
  lower_bound_distance: lowerBoundDistance,
  lower_bound: lowerBound,
  pose_bound: poseBound,
  scene,
} as const satisfies Record<string, LossSpec>;

export type LossName = keyof typeof lossSpecs;

export const isLossName = (name: string): name is LossName => Object.hasOwn(lossSpecs, name);
