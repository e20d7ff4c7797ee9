import type { Experiment } from '../contracts/experiment.ts';
import type { Job, JobOf } from '../contracts/job.ts';
import { Method } from '../contracts/method.ts';
import { isPictureSource } from '../contracts/sources.ts';
import type { BackboneSchedule } from '../schedule/index.ts';
import { contentHash } from './canonical.ts';
import { countClamped, resolveSchedule } from './resolve-schedule.ts';
import { type StageName, stageNames, stageVersions } from './versions.ts';

type WorkerSpecs = { [S in StageName & JobOf<Job['stage']>['stage']]: JobOf<S>['spec'] };

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

/** `index` is there only where a source has pictures on disk, `primary` where the experiment trains its own. */
type Optional = 'index' | 'primary';
export type PlannedStages = { [S in Exclude<StageName, Optional>]: PlannedStage<S> } & {
  [S in Optional]: PlannedStage<S> | null;
};

export interface Plan {
  salt: string;
  stages: PlannedStages;
}

/** Content hashes of what an experiment names but does not hold. */
export interface Fingerprints {
  /** one for each of `dataset.sources` */
  sources: readonly string[];
  /** null where no picture is described */
  captioner: string | null;
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
export const stagesOf = ({ stages }: Plan): PlannedStage[] => stageNames.flatMap(name => stages[name] ?? []);

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

  const { sources } = dataset;
  const index = sources.some(isPictureSource) ? stage('index', { sources }, numbered(prints.sources)) : null;
  const described = prints.captioner === null ? {} : { captioner: prints.captioner };
  const assemble = stage('assemble', { seed, dataset }, { ...numbered(prints.sources), ...described });
  const cache = stage('cache', { backbone }, { assemble: assemble.key, backbone: prints.backbone });
  const data = { assemble: assemble.key, cache: cache.key, backbone: prints.backbone };
  const trained = primarySpec(experiment, backbone_schedule);
  const primary = trained && stage('primary', trained, { ...data, adapter: prints.adapter });
  const models = { backbone: prints.backbone, adapter: primary?.key ?? prints.adapter };
  const features = stage('features', { adapter }, { assemble: assemble.key, adapter: models.adapter });
  const learning = { seed, backbone, adapter, detector, schedule, method };
  const learnt = { ...data, ...models, features: features.key, detector: prints.detector };
  const train = stage('train', { ...learning, train: experiment.train, convergence }, learnt);
  const judging = { seed, backbone, adapter, detector, judge, evaluate };
  const judges = { judge: prints.judge, detector: prints.detector };
  const baseline = stage('baseline', judging, { assemble: assemble.key, ...models, ...judges });
  const evaluated = stage('evaluate', judging, {
    ...{ assemble: assemble.key, baseline: baseline.key, train: train.key },
    ...{ backbone: prints.backbone, ...judges },
  });
  const audit = stage(
    'audit',
    { ...learning, audit: experiment.audit, detection_threshold: evaluate.detection_threshold },
    { ...learnt, train: train.key },
  );
  const verdict = stage(
    'verdict',
    { seed, schedule: experiment.schedule, method, convergence, clamped_timesteps },
    { train: train.key, evaluate: evaluated.key, audit: audit.key },
  );
  const figure = stage(
    'figures',
    { backbone, adapter, detector, judge, dataset, evaluate, figures },
    { train: train.key, ...models, ...judges, pose: prints.figure_pose },
  );
  const report = stage(
    'report',
    { name: experiment.name, description: experiment.description },
    { evaluate: evaluated.key, verdict: verdict.key, figures: figure.key },
  );
  const learned = { index, assemble, cache, primary, features, train };
  const shown = { baseline, evaluate: evaluated, audit, verdict, figures: figure, report };
  return { salt, stages: { ...learned, ...shown } };
};

/** Eq. 12 knows few of the readings: the others stand at their defaults, so that they do not train the primary anew. */
const primarySpec = (experiment: Experiment, backbone_schedule: BackboneSchedule): StageSpecs['primary'] | null => {
  const { seed, backbone, adapter, primary } = experiment;
  const { primary_weight, unet_timestep } = experiment.method;
  const method = Method.parse({ primary_weight, unet_timestep });
  const schedule = resolveSchedule(experiment.schedule, method, backbone_schedule);
  return primary && { seed, backbone, adapter, schedule, method, primary };
};

const numbered = (prints: readonly string[]): Record<string, string> =>
  Object.fromEntries(prints.map((print, index) => [`source_${index}`, print]));
