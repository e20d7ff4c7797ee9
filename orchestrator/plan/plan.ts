import type { Experiment } from '../contracts/experiment.ts';
import type { JobOf } from '../contracts/job.ts';
import type { BackboneSchedule } from '../schedule/index.ts';
import { contentHash } from './canonical.ts';
import { countClamped, resolveSchedule } from './resolve-schedule.ts';
import { type StageName, stageNames, stageVersions } from './versions.ts';

type WorkerSpecs = { [S in 'assemble' | 'cache' | 'train' | 'evaluate' | 'figures']: JobOf<S>['spec'] };

/** What each stage's result depends on, beside its inputs; for worker stages exactly the job's `spec`. */
export interface StageSpecs extends WorkerSpecs {
  verdict: Pick<Experiment, 'seed' | 'schedule' | 'method' | 'convergence'> & { clamped_timesteps: number | null };
  report: { name: string; description: string };
}

export interface PlannedStage<S extends StageName = StageName> {
  name: S;
  version: number;
  key: string;
  spec: StageSpecs[S];
  /** what the stage reads: name → key of the stage or fingerprint of the content that it comes from */
  inputs: Record<string, string>;
}

export interface Plan {
  salt: string;
  stages: { [S in StageName]: PlannedStage<S> };
}

/** Content hashes of what an experiment names but does not hold. */
export interface Fingerprints {
  /** one for each of `dataset.sources` */
  sources: readonly string[];
  backbone: string;
  adapter: string;
  detector: string;
  judge: string;
  /** of the pose of the figure, where it is a file */
  figure_pose: string;
}

export interface PlanOptions {
  /** part of every key; empty unless a run starts over */
  salt: string;
  prints: Fingerprints;
  /** what the backbone was trained on */
  backbone_schedule: BackboneSchedule;
}

/** Stages in the order of a run. */
export const stagesOf = (plan: Plan): PlannedStage[] => stageNames.map(name => plan.stages[name]);

/**
 * The stages of one experiment with their content keys. Pure: the same experiment, salt and fingerprints give the same
 * keys on every machine. Throws `singular_schedule`, `refused_combination` where the schedule cannot be resolved.
 */
export const planExperiment = (experiment: Experiment, { salt, prints, backbone_schedule }: PlanOptions): Plan => {
  const { seed, backbone, adapter, detector, judge, dataset, method, convergence, evaluate, figures } = experiment;
  const schedule = resolveSchedule(experiment.schedule, method, backbone_schedule);
  const clamped_timesteps = countClamped(experiment.schedule, method, backbone_schedule);
  const stage = <S extends StageName>(
    name: S,
    spec: StageSpecs[S],
    inputs: Record<string, string>,
  ): PlannedStage<S> => {
    const version = stageVersions[name];
    return { name, version, key: contentHash({ stage: name, version, spec, inputs, salt }), spec, inputs };
  };
  const models = { backbone: prints.backbone, adapter: prints.adapter };

  const assemble = stage('assemble', { seed, dataset }, numbered(prints.sources));
  const cache = stage('cache', { backbone, adapter }, { assemble: assemble.key, ...models });
  const train = stage(
    'train',
    { seed, backbone, adapter, detector, schedule, method, train: experiment.train, convergence },
    { assemble: assemble.key, cache: cache.key, ...models, detector: prints.detector },
  );
  const judged = { train: train.key, ...models, judge: prints.judge };
  const evaluated = stage(
    'evaluate',
    { seed, backbone, adapter, detector, judge, evaluate },
    { assemble: assemble.key, detector: prints.detector, ...judged },
  );
  const verdict = stage(
    'verdict',
    { seed, schedule: experiment.schedule, method, convergence, clamped_timesteps },
    { train: train.key, evaluate: evaluated.key },
  );
  const figure = stage(
    'figures',
    { backbone, adapter, detector, judge, dataset, evaluate, figures },
    { detector: prints.detector, ...judged, pose: prints.figure_pose },
  );
  const report = stage(
    'report',
    { name: experiment.name, description: experiment.description },
    { evaluate: evaluated.key, verdict: verdict.key, figures: figure.key },
  );
  return { salt, stages: { assemble, cache, train, evaluate: evaluated, verdict, figures: figure, report } };
};

const numbered = (prints: readonly string[]): Record<string, string> =>
  Object.fromEntries(prints.map((print, index) => [`source_${index}`, print]));
