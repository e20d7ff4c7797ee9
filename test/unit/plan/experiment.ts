import { Experiment, type ExperimentInput } from '../../../orchestrator/contracts/experiment.ts';
import { planExperiment, stagesOf } from '../../../orchestrator/plan/plan.ts';
import { type StageName, stageNames } from '../../../orchestrator/plan/versions.ts';

export const experiment = (input: Partial<ExperimentInput> = {}): Experiment =>
  Experiment.parse({ name: 'test', ...input });

export const prints = {
  sources: ['world 1'],
  captioner: null,
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

/** The stages whose keys differ, or that only one of the plans has. */
export const changed = (before: ReturnType<typeof plan>, after: ReturnType<typeof plan>): StageName[] =>
  stageNames.filter(name => before.stages[name]?.key !== after.stages[name]?.key);

/** The names of the stages that a plan has, in the order of a run. */
export const namesOf = (planned: ReturnType<typeof plan>): StageName[] => stagesOf(planned).map(({ name }) => name);
