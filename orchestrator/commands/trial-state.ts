import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { SweepPlan, SweepTrial, TrialCut } from '../contracts/sweep.ts';
import { type ErrorCode, errorClasses, isErrorCode } from '../errors.ts';
import { standingCut } from '../plan/early-stopping.ts';
import { mayBeAlive } from '../processes/lock.ts';
import {
  chooseRun,
  eventsFileOf,
  lastSteps,
  type RunFolder,
  readEvents,
  type Status,
  SweepFolder,
} from '../runs/index.ts';
import { type RunNumbers, readNumbers } from './run-numbers.ts';

export type TrialState = 'pending' | 'running' | 'interrupted' | 'done' | 'failed' | 'diverged' | 'cut';

const isDivergence = (code: string | null): boolean =>
  code !== null && isErrorCode(code) && errorClasses[code satisfies ErrorCode] === 'diverged';

const runStateOf = (status: Status | undefined): TrialState => {
  if (status === undefined) return 'pending';
  if (status.status === 'failed') return isDivergence(status.code) ? 'diverged' : 'failed';
  if (status.status !== 'running') return status.status;
  return status.process !== null && mayBeAlive(status.process) ? 'running' : 'interrupted';
};

/**
 * What a run's status.json says of a trial; `running` only while the process that wrote it may be alive. A cut that
 * stands says why a trial is where it is; one that was finished by hand is done all the same.
 */
export const stateOf = (status: Status | undefined, cut?: TrialCut): TrialState => {
  const state = runStateOf(status);
  return cut !== undefined && state === 'interrupted' ? 'cut' : state;
};

export interface Progress {
  /** the stage that is at work or comes next; null when all are there */
  stage: string | null;
  /** of the training */
  step: number;
  max_train_steps: number;
}

const stepOf = async (folder: string): Promise<number> => {
  const file = eventsFileOf(folder);
  return file === undefined ? 0 : (lastSteps(await readEvents(file)).at(-1)?.step ?? 0);
};

const progressOf = async (run: RunFolder, { experiment }: SweepTrial): Promise<Progress> => {
  const folders = Object.entries((await run.stageFolders()) ?? {}).map(
    ([stage, folder]) => [stage, resolve(run.path, folder)] as const,
  );
  const { max_train_steps } = experiment.train;
  const next = folders.find(([, folder]) => !existsSync(join(folder, 'stage.json')));
  const train = folders.find(([stage]) => stage === 'train');
  return { stage: next?.[0] ?? null, step: train === undefined ? 0 : await stepOf(train[1]), max_train_steps };
};

export interface TrialReport {
  trial: SweepTrial;
  run: RunFolder;
  state: TrialState;
  code: string | null;
  message: string | null;
  /** what the rule of the sweep says; null where it has not cut the trial */
  cut: TrialCut | null;
  progress: Progress;
  /** null before the end */
  numbers: RunNumbers | null;
}

/** How far a trial is, from its files alone; `cut` is the one that stands. */
export const reportTrial = async (trial: SweepTrial, cut?: TrialCut): Promise<TrialReport> => {
  const { run } = chooseRun(trial.experiment, { fresh: false });
  const status = await run.status();
  const state = stateOf(status, cut);
  return {
    trial,
    run,
    state,
    code: status?.code ?? null,
    message: status?.message ?? null,
    cut: cut ?? null,
    progress: await progressOf(run, trial),
    numbers: state === 'done' ? ((await readNumbers(run)) ?? null) : null,
  };
};

/** Trial → the cut that stands, by the rule that the sweep has now. */
export const standingCuts = async ({
  name,
  sweep: { early_stopping },
  trials,
}: Pick<SweepPlan, 'name' | 'sweep' | 'trials'>): Promise<Map<string, TrialCut>> => {
  const cuts = await new SweepFolder(name).cuts();
  return new Map(
    trials.flatMap(({ id }) => {
      const cut = standingCut(cuts, id, early_stopping);
      return cut === undefined ? [] : [[id, cut] as const];
    }),
  );
};
