import { Experiment, type ExperimentInput } from '../../../orchestrator/contracts/experiment.ts';
import { planExperiment } from '../../../orchestrator/plan/plan.ts';
import type { StageName } from '../../../orchestrator/plan/versions.ts';

export const experiment = (input: Partial<ExperimentInput> = {}): Experiment =>
  Experiment.parse({ name: 'test', ...input });

export const prints = {
  sources: ['world 1'],
  backbone: 'b',
  adapter: 'a',
  detector: 'd',
  judge: 'j',
  figure_pose: '',
};

/** Stable Diffusion's own. */
export const backbone_schedule = {
  beta_schedule: 'scaled_linear',
  num_train_timesteps: 1000,
  beta_start: 0.00085,
  beta_end: 0.012,
} as const;

export const plan = (input: Partial<ExperimentInput> = {}, options: { salt?: string; prints?: typeof prints } = {}) =>
  planExperiment(experiment(input), { salt: '', prints, backbone_schedule, ...options });

/** The stages whose keys differ. */
export const changed = (before: ReturnType<typeof plan>, after: ReturnType<typeof plan>): StageName[] =>
  Object.values(before.stages)
    .filter(stage => stage.key !== after.stages[stage.name].key)
    .map(stage => stage.name);
