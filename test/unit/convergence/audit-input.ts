import type { AuditAtT, AuditResult } from '../../../orchestrator/contracts/results.ts';
import {
  type AuditInput,
  type AuditPoint,
  audit,
  type LoggedStep,
  verdict,
} from '../../../orchestrator/convergence/index.ts';
import { buildSchedule, type ScheduleTable } from '../../../orchestrator/schedule/index.ts';
import { loggedStep } from './series.ts';

export const q = 30;

export const verdictOptions = {
  window: 100,
  cycle: 10,
  confidence: 0.95,
  seed: 0,
  resamples: 100,
  tolerance: 0.0004,
  pose_residual: 'plain',
  scale: 1,
  q_readings: {},
} as const;

/** The schedule with these α_t, t = 1 first. */
export const listed = (values: number[]): ScheduleTable =>
  buildSchedule({ kind: 'list', of: 'alphas', values, singular: 'error', eps: 1e-6 });

/** What the stage `audit` measures at one t; every number that is not given is 1. */
export const row = (t: number, given: Partial<AuditAtT> = {}): AuditAtT => ({
  t,
  noise_error_a: 1,
  noise_error_b: 1,
  inner_product: 1,
  noised_target_pose: 1,
  target_pose: 1,
  score_difference: 1,
  detection_rate_a: 1,
  detection_rate_b: 1,
  ...given,
});

export const measuredAt = (per_t: AuditAtT[], detector: Partial<AuditResult['detector']> = {}): AuditResult => ({
  num_pairs: 32,
  per_t,
  detector: { num_images: 40, squared_error: 0.0001, detection_rate: 1, ...detector },
});

export const history = (length: number, error: (step: number) => number): LoggedStep[] =>
  Array.from({ length }, (_, index) => loggedStep(index + 1, (index % 10) + 1, q, error(index + 1)));

const calm = history(100, () => 0);

/** A run whose pictures hit b_0, on ten t, of which nothing else was measured. */
export const bareInput = (given: Partial<AuditInput> = {}): AuditInput => ({
  table: listed([0.99, 0.98, 0.97, 0.96, 0.95, 0.94, 0.93, 0.92, 0.91, 0.9]),
  steps: calm,
  verdict: verdict(calm, q, verdictOptions),
  method: { objective: 'patent', primary_weight: 'w(t)', q: 'expectation' },
  clamped_timesteps: 0,
  scene_drift: null,
  detector: null,
  measured: null,
  gradients: [],
  gate: [],
  ...given,
});

/** One point of the audit, by its number. */
export const pointOf = (number: number, given: Partial<AuditInput>): AuditPoint => {
  const found = audit(bareInput(given)).find(({ point }) => point === number);
  if (found === undefined) throw new Error(`the audit has no point ${number}`);
  return found;
};

/** A number of a point that is no list and not null. */
export const numberOf = ({ numbers }: AuditPoint, name: string): number => {
  const value = numbers[name];
  if (typeof value !== 'number') throw new Error(`${name} is ${JSON.stringify(value)}`);
  return value;
};
