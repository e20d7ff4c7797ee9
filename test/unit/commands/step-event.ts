import type { StepEvent, Visit } from '../../../orchestrator/contracts/events.ts';

/** What a step saw at one t, with plausible numbers. */
export const visitAt = (t: number, loss: number | null): Visit => ({
  t,
  terms: {
    target_pose: loss === null ? null : loss / 100,
    pose_residual: loss === null ? null : loss / 50,
    score_difference: 0.1,
    scene: 0.01,
    delta_l: 0.02,
    lower_bound_distance: 0.02,
  },
  loss,
  confidence: 0.9,
});

/** A step event of one t, or of the given visits, with plausible numbers. */
export const stepEvent = (
  step: number,
  loss: number,
  time = step,
  visits: Visit[] = [visitAt(1 + (step % 50), loss)],
): StepEvent => ({
  type: 'step',
  time,
  step,
  visits,
  objective: loss / 50,
  grad_norm: 1,
  learning_rate: 1e-4,
  duration_ms: 500,
});
