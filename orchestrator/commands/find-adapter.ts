import { existsSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Experiment } from '../contracts/experiment.ts';
import { PosetwinError } from '../errors.ts';
import { latestRun, type RunFolder } from '../runs/index.ts';
import { runCalled } from './find-run.ts';

/** A secondary adapter, and the experiment whose models and settings go with it. */
export interface FoundAdapter {
  /** a folder that holds `adapter/` */
  train: string;
  /** Φ1: `mini` or a folder that T2IAdapter.from_pretrained loads */
  primary: string;
  experiment: Experiment;
  name: string;
}

const hint = 'give a run (name or name/id), its folder, or a folder made by save_pretrained';

const fromRun = async (run: RunFolder): Promise<FoundAdapter> => {
  const [train, resolved] = [await run.stageFolder('train'), await run.resolved()];
  const name = `${run.name}/${run.id}`;
  if (train === undefined || resolved === undefined) {
    throw new PosetwinError('usage', `run ${name} has no trained adapter yet`, { hint: 'run it to its end first' });
  }
  const own = await run.stageFolder('primary');
  const primary = own === undefined ? resolved.experiment.adapter.path : join(own, 'adapter');
  return { train, primary, experiment: resolved.experiment, name };
};

/** The worker looks for `adapter/` in a folder; a folder of any other name is linked in under that name. */
const fromFolder = async (folder: string, scratch: string): Promise<FoundAdapter> => {
  const experiment = Experiment.parse({ name: 'sample' });
  const found = { primary: experiment.adapter.path, experiment, name: folder };
  if (basename(folder) === 'adapter') return { train: dirname(folder), ...found };
  await mkdir(scratch, { recursive: true });
  await symlink(folder, join(scratch, 'adapter'), 'junction');
  return { train: scratch, ...found };
};

const isAdapter = (folder: string): boolean => existsSync(join(folder, 'config.json'));
/** The adapter that `--adapter` names; the last run's when nothing is given. Raises `usage`. */
export const findAdapter = async (given: string | undefined, scratch: string): Promise<FoundAdapter> => {
  const folder = resolve(given ?? '.');
  if (given !== undefined && isAdapter(folder)) return fromFolder(folder, scratch);
  const run = given === undefined ? await latestRun(undefined, '') : await runCalled(given);
  if (run !== undefined) return fromRun(run);
  throw new PosetwinError('usage', given === undefined ? 'there is no run yet' : `no run or adapter '${given}'`, {
    hint,
  });
};
