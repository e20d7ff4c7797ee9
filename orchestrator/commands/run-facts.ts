/** What a run was made from and with, in a form that two runs can be compared in. */
import { join } from 'node:path';
import { z } from 'zod';
import { TrainResult } from '../contracts/results.ts';
import { type Plan, stagesOf } from '../plan/plan.ts';
import { type Difference, differences, type Provenance, type RunFolder, readJsonIfThere } from '../runs/index.ts';
import { type FoundEnvironment, foundEnvironment } from '../stages/preflight.ts';

/** A stage as plan.json records it. */
const RecordedStage = z.object({
  name: z.string(),
  version: z.int(),
  key: z.string(),
  spec: z.unknown(),
  inputs: z.record(z.string(), z.string()),
});
type RecordedStage = z.output<typeof RecordedStage>;
const RecordedPlan = z.object({ salt: z.string(), stages: z.array(RecordedStage) });

const RecordedProvenance = z.looseObject({
  git: z.object({ commit: z.string(), dirty: z.boolean() }).nullable(),
  code_digest: z.string(),
  node: z.string(),
  hostname: z.string(),
  platform: z.string(),
  cores: z.int(),
  memory_mb: z.number(),
  packages: z.record(z.string(), z.string()),
});

/** Code, versions and machine; null where nothing was recorded. */
export interface Surroundings {
  code: { commit: string; uncommitted: boolean; digest: string } | null;
  versions: Record<string, string> | null;
  machine: { hostname: string; platform: string; cores: number; memory_mb: number } | null;
  /** what there is, best first */
  devices: readonly string[] | null;
  /** what training ran on */
  trained_on: string | null;
}

type Recorded = Pick<Provenance, 'git' | 'code_digest' | 'node' | 'hostname' | 'platform' | 'cores' | 'memory_mb'>;

const devicesOf = (environment: FoundEnvironment | undefined): readonly string[] | null =>
  environment?.devices.map(({ name, kind }) => `${kind}: ${name}`) ?? null;

/** From what provenance and the environment of Python tell, now or then. */
export const surroundingsOf = (
  recorded: Recorded | undefined,
  environment: FoundEnvironment | undefined,
  trained_on: string | null,
): Surroundings => {
  const python = environment && { python: environment.python, ...environment.packages };
  const { git, code_digest, node, hostname, platform, cores, memory_mb } = recorded ?? {};
  const isKnown = recorded !== undefined;
  return {
    code: isKnown
      ? { commit: git?.commit ?? 'none', uncommitted: git?.dirty ?? false, digest: code_digest ?? '' }
      : null,
    versions: python === undefined ? null : { ...(node !== undefined && { node }), ...python },
    machine: isKnown
      ? { hostname: hostname ?? '', platform: platform ?? '', cores: cores ?? 0, memory_mb: memory_mb ?? 0 }
      : null,
    devices: devicesOf(environment),
    trained_on,
  };
};

/** As they were when the run was made. Raises `corrupt_file`. */
export const recordedSurroundings = async (run: RunFolder): Promise<Surroundings> => {
  const train = await run.stageFolder('train');
  const trained = train && (await readJsonIfThere(join(train, 'result.json'), TrainResult));
  const recorded = await readJsonIfThere(run.file('provenance.json'), RecordedProvenance);
  return surroundingsOf(recorded, await foundEnvironment(run), trained ? trained.device : null);
};

/** What differs, and what cannot be told since one side has not recorded it. */
export const compareSurroundings = (
  before: Surroundings,
  after: Surroundings,
): { differences: Difference[]; unknown: string[] } => {
  const names = Object.keys(before) as (keyof Surroundings)[];
  const unknown = names.filter(name => before[name] === null || after[name] === null);
  const known = names.filter(name => !unknown.includes(name));
  return { differences: known.flatMap(name => differences(before[name], after[name], name)), unknown };
};

/** The stages of a run as they were planned; undefined before that. Raises `corrupt_file`. */
export const recordedStages = async (run: RunFolder): Promise<RecordedStage[] | undefined> =>
  (await readJsonIfThere(run.file('plan.json'), RecordedPlan))?.stages;

/** The same of a plan that is not written yet. */
export const plannedStages = (plan: Plan): RecordedStage[] =>
  stagesOf(plan).map(({ name, version, key, spec, inputs }) => ({ name, version, key, spec, inputs }));

/** Inputs that are no stage's result: fingerprints of sources and weights. */
const fingerprintsOf = ({ inputs }: RecordedStage, keys: ReadonlySet<string>): Record<string, string> =>
  Object.fromEntries(Object.entries(inputs).filter(([, value]) => !keys.has(value)));

/**
 * Where two plans part: versions of stages, fingerprints of what they read and, where one experiment should give one
 * plan, what a stage is told. Keys differ with all of these and tell nothing more.
 */
export const compareStages = (
  before: readonly RecordedStage[],
  after: readonly RecordedStage[],
  { withSpecs }: { withSpecs: boolean },
): Difference[] => {
  const keys = new Set([...before, ...after].map(({ key }) => key));
  const view = (stages: readonly RecordedStage[]) =>
    Object.fromEntries(
      stages.map(stage => [
        stage.name,
        { version: stage.version, inputs: fingerprintsOf(stage, keys), ...(withSpecs && { spec: stage.spec }) },
      ]),
    );
  return differences(view(before), view(after));
};

/** Names of the stages whose results are one and the same. */
export const sharedStages = (before: readonly RecordedStage[], after: readonly RecordedStage[]): string[] => {
  const keys = new Set(before.map(({ name, key }) => `${name} ${key}`));
  return after.filter(({ name, key }) => keys.has(`${name} ${key}`)).map(({ name }) => name);
};
