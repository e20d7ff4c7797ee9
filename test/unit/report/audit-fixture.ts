/** Made-up numbers of an audit, as the stages hand them to the report. */
import type { GradientsEvent, StepEvent, ValidationEvent } from '../../../orchestrator/contracts/events.ts';
import type { AuditAtT, AuditResult } from '../../../orchestrator/contracts/results.ts';
import { audit, type Verdict, verdict } from '../../../orchestrator/convergence/index.ts';
import type { AuditPoint } from '../../../orchestrator/report/data.ts';
import { buildSchedule, everyQ } from '../../../orchestrator/schedule/index.ts';

const T = 50;
const table = buildSchedule({
  kind: 'scaled_linear',
  num_steps: T,
  spacing: 'trailing',
  num_train_timesteps: 1000,
  beta_start: 0.00085,
  beta_end: 0.012,
  singular: 'error',
  eps: 1e-6,
});

/** The cleaner the step, the more often a person is found. */
const rowAt = (t: number): AuditAtT => ({
  t,
  noise_error_a: 0.9 - 0.015 * t,
  noise_error_b: 1 - 0.016 * t,
  inner_product: 0.4 - 0.002 * t,
  noised_target_pose: 0.002 + 0.0004 * t,
  target_pose: 0.003,
  score_difference: 0.3,
  detection_rate_a: 1 - 0.5 * (t / T) ** 2,
  detection_rate_b: 1 - 0.7 * (t / T) ** 2,
});

export const measured: AuditResult = {
  num_pairs: 32,
  per_t: Array.from({ length: T }, (_, index) => rowAt(index + 1)),
  detector: { num_images: 60, squared_error: 0.00012, detection_rate: 0.98 },
};

export const gradients: GradientsEvent[] = [0, 100, 200, 300].flatMap(step =>
  [1, 25, 50].map(t => ({
    type: 'gradients',
    time: 1_700_000_000 + step,
    step,
    t,
    noise_norm: 2 - step / 300,
    pose_norm: 0.1 + t / 100,
    cosine: step === 300 && t === 50 ? null : 0.6 - t / 40 - step / 1000,
  })),
);

export const validations: ValidationEvent[] = [0, 100, 200, 300].map(step => ({
  type: 'validation',
  time: 1_700_000_000 + step,
  step,
  num_pairs: 16,
  objective: 0.02 - step / 30_000,
  terms: {
    target_pose: 0.02 - step / 30_000,
    pose_residual: 0.01,
    scene: step === 0 ? 0 : 0.001,
    score_difference: null,
  },
  best: step === 200,
}));

const gate = ['target_pose', 'pose_residual'].flatMap(term =>
  [1, 25, 50].map(t => ({
    term,
    t,
    gradient: t === 50 ? 0 : 0.3,
    finite_difference: t === 50 ? null : 0.29,
    verdict: t === 50 ? ('dead' as const) : ('passes' as const),
  })),
);

/** What convergence finds in these steps, with every reading of Q. */
export const judged = (steps: readonly StepEvent[], q: number): Verdict => {
  const q_readings = Object.fromEntries(
    Object.entries(everyQ(table)).flatMap(([name, own]) => (own === null ? [] : [[name, own]])),
  );
  return verdict(steps, q, {
    window: 200,
    cycle: T,
    confidence: 0.95,
    seed: 0,
    resamples: 200,
    tolerance: 0.0004,
    pose_residual: 'plain',
    scale: 1,
    q_readings,
  });
};

/** The eleven points, of a scene that drifts and a detector that has been fitted. */
export const auditPoints = (steps: readonly StepEvent[], found: Verdict): AuditPoint[] =>
  audit({
    table,
    steps,
    verdict: found,
    method: { objective: 'patent', primary_weight: 'w(t)', q: 'expectation' },
    clamped_timesteps: 0,
    scene_drift: { primary: 0.041, secondary: 0.0515 },
    detector: { in_loss_error_px: 2.25, held_out_error_px: 5.1, detection_rate: 0.96 },
    measured,
    gradients,
    gate,
  }).map(({ point, ...rest }) => ({ number: point, ...rest }));
