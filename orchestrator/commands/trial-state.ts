import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { SweepTrial } from '../contracts/sweep.ts';
import { type ErrorCode, errorClasses, isErrorCode } from '../errors.ts';
import { mayBeAlive } from '../processes/lock.ts';
import { chooseRun, lastSteps, type RunFolder, readEvents, type Status } from '../runs/index.ts';
import { type RunNumbers, readNumbers } from './run-numbers.ts';

export type TrialState = 'pending' | 'running' | 'interrupted' | 'done' | 'failed' | 'diverged';

const isDivergence = (code: string | null): boolean =>
  code !== null && isErrorCode(code) && errorClasses[code satisfies ErrorCode] === 'diverged';

/** What a run's status.json says of a trial; `running` only while the process that wrote it may be alive. */
export const stateOf = (status: Status | undefined): TrialState => {
  if (status === undefined) return 'pending';
  if (status.status === 'failed') return isDivergence(status.code) ? 'diverged' : 'failed';
  if (status.status !== 'running') return status.status;
  return status.process !== null && mayBeAlive(status.process) ? 'running' : 'interrupted';
};

export interface Progress {
  /** the stage that is at work or comes next; null when all are there */
  stage: string | null;
  /** of the training */
  step: number;
  max_train_steps: number;
}

const stepOf = async (folder: string): Promise<number> => {
  const file = [folder, `${folder}.partial`].map(path => join(path, 'events.jsonl')).find(path => existsSync(path));
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
  progress: Progress;
  /** null before the end */
  numbers: RunNumbers | null;
}

/** How far a trial is, from its files alone. */
export const reportTrial = async (trial: SweepTrial): Promise<TrialReport> => {
  const { run } = chooseRun(trial.experiment, { fresh: false });
  const status = await run.status();
  const state = stateOf(status);
  return {
    trial,
    run,
    state,
    code: status?.code ?? null,
    message: status?.message ?? null,
    progress: await progressOf(run, trial),
    numbers: state === 'done' ? ((await readNumbers(run)) ?? null) : null,
  };
};
