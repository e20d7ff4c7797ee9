import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { manifestName, type OpenSet, openSet } from '../dataset/open-set.ts';
import { PosetwinError } from '../errors.ts';
import { chooseRun, Store } from '../runs/index.ts';
import { runCalled } from './find-run.ts';
import { loadChecked, makePlan } from './prepare.ts';

export interface FoundSet {
  set: OpenSet;
  /** as a person would call it: the folder, or the run it was assembled for */
  name: string;
}

const notAssembled = (given: string, hint: string): PosetwinError =>
  new PosetwinError('usage', `no dataset has been assembled for '${given}'`, { hint });

/** What is missing in a folder that holds no set. */
const noSet = (given: string): PosetwinError =>
  new PosetwinError('missing_file', `${given} holds no ${manifestName}, and no run is called so`, {
    file: given,
    hint: 'give the folder of an assembled set, a run (folder, name/id, id, name), or its YAML file',
  });

const isExperiment = (given: string): boolean => /\.ya?ml$/i.test(given) && existsSync(given);

const ofExperiment = async (file: string): Promise<FoundSet | number> => {
  const loaded = loadChecked(file, { set: [], json: false });
  if ('exitCode' in loaded) return loaded.exitCode;
  const store = new Store();
  const { fresh } = chooseRun(loaded.experiment, { fresh: false });
  const { assemble } = (await makePlan(loaded, fresh, store)).stages;
  if (store.state(assemble) !== 'done') throw notAssembled(file, `posetwin run ${file} --until assemble assembles it`);
  return { set: await openSet(store.folder(assemble)), name: loaded.experiment.name };
};

const ofRun = async (given: string): Promise<FoundSet | undefined> => {
  const run = await runCalled(given);
  if (run === undefined) return undefined;
  const folder = await run.stageFolder('assemble');
  if (folder === undefined) throw notAssembled(given, 'the same command as before goes on with that run');
  return { set: await openSet(folder), name: `${run.name}/${run.id}` };
};

/**
 * The set that a person means: a folder that holds one, an experiment file, or a run. Where the experiment has errors they
 * are printed, and the exit code is given. Raises `missing_file`, `corrupt_file`; `usage` where it is not assembled yet.
 */
export const findSet = async (given: string): Promise<FoundSet | number> => {
  if (existsSync(join(given, manifestName))) return { set: await openSet(given), name: basename(resolve(given)) };
  if (isExperiment(given)) return ofExperiment(given);
  const found = await ofRun(given);
  if (found === undefined) throw noSet(given);
  return found;
};
