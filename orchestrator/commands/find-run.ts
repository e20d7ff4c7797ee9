import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { didYouMean } from '../config/suggest.ts';
import { PosetwinError } from '../errors.ts';
import { latestRun, listRuns, listSweeps, RunFolder } from '../runs/index.ts';

/** The run whose folder this is; undefined where it is none. */
const runIn = (given: string): RunFolder | undefined => {
  const folder = resolve(given);
  if (!existsSync(join(folder, 'experiment.resolved.json'))) return undefined;
  return new RunFolder(dirname(dirname(folder)), basename(dirname(folder)), basename(folder));
};

/** The run of this folder, `name/id` (also under runs/), id, or name: of several by one name the last started. */
export const runCalled = async (given: string): Promise<RunFolder | undefined> => {
  const name = given.replace(/^(\.\/)?runs\//, '').replace(/\/$/, '');
  const isMeant = (run: RunFolder) => run.id === name || `${run.name}/${run.id}` === name;
  return runIn(given) ?? (await listRuns()).find(isMeant) ?? (await latestRun(name, ''));
};

/** Of the runs of this name the one that was started last and is done; one that was stopped is no run to go by. */
export const lastFinished = async (name: string): Promise<RunFolder | undefined> => {
  const runs = (await listRuns()).filter(run => run.name === name);
  const dated = await Promise.all(runs.map(async run => ({ run, status: await run.status() })));
  const done = dated.flatMap(({ run, status }) =>
    status?.status === 'done' ? [{ run, started: status.started }] : [],
  );
  return done.sort((a, b) => b.started.localeCompare(a.started)).at(0)?.run;
};

const notStarted = async (given: string): Promise<PosetwinError | undefined> => {
  const id = basename(given);
  const sweep = (await listSweeps()).find(({ plan }) => plan.trials.some(trial => trial.id === id));
  return sweep === undefined
    ? undefined
    : new PosetwinError('usage', `the trial ${given} has not been started`, {
        hint: `posetwin run ${sweep.plan.file} --trial ${id} starts it`,
      });
};

/** The run that a person means; a trial's run has the trial's id. Raises `usage`. */
export const findRun = async (given: string): Promise<RunFolder> => {
  const found = await runCalled(given);
  if (found !== undefined) return found;
  const names = [...new Set((await listRuns()).map(({ name }) => name))];
  const hint = 'give the folder of a run, name/id, an id, or a name for its last run';
  throw (
    (await notStarted(given)) ??
    new PosetwinError('usage', `there is no run '${given}'`, {
      hint: names.length === 0 ? hint : `${hint}; ${didYouMean(given, names, 'names')}`,
    })
  );
};
