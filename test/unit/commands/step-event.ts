import type { StepEvent } from '../../../orchestrator/contracts/events.ts';

/** A step event with plausible numbers. */
export const stepEvent = (step: number, loss: number, time = step): StepEvent => ({
  type: 'step',
  time,
  step,
  t: 1 + (step % 50),
  terms: {
    target_pose: loss / 100,
    pose_residual: loss / 50,
    score_difference: 0.1,
    scene: 0.01,
    delta_l: 0.02,
    lower_bound_distance: 0.02,
  },
  loss,
  objective: loss / 50,
  grad_norm: 1,
  learning_rate: 1e-4,
  confidence: 0.9,
  duration_ms: 500,
});
