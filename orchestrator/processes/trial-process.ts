import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { TRIAL_PARENT } from './parent.ts';
import { killTagged, killTaggedUntilNone, sendSignal } from './process-table.ts';

/** All processes of one trial carry it, its workers too. */
const TRIAL_TAG = 'POSETWIN_TRIAL_TAG';

export interface TrialOptions {
  /** the command line of posetwin */
  args: readonly string[];
  /** standard output and standard error are appended to it */
  log: string;
  env?: Readonly<Record<string, string>>;
  /** the module that is run; posetwin's own unless a test has another */
  entry?: string;
}

export interface RunningTrial {
  readonly pid: number | undefined;
  /** the exit code, or 128 and the number of the signal, when nothing of the trial is left alive */
  readonly exit: Promise<number>;
  /** asks it to save a checkpoint and end, as Ctrl-C does */
  stop(): void;
  /** ends the whole tree now */
  kill(): void;
}

const posetwin = join(import.meta.dirname, '..', 'run.ts');

/** Starts `posetwin …args` in a session of its own, so that Ctrl-C in a terminal reaches its starter alone. */
export const startTrial = ({ args, log, env = {}, entry = posetwin }: TrialOptions): RunningTrial => {
  const tag = randomUUID();
  mkdirSync(dirname(log), { recursive: true });
  const child = execa(process.execPath, ['--import', import.meta.resolve('tsx'), entry, ...args], {
    env: { ...env, [TRIAL_TAG]: tag, [TRIAL_PARENT]: String(process.pid) },
    stdin: 'ignore',
    stdout: { file: log, append: true },
    stderr: { file: log, append: true },
    buffer: false,
    reject: false,
    detached: true,
  });
  const ended = async (): Promise<number> => {
    const { exitCode, signal } = await child;
    await killTaggedUntilNone(tag, TRIAL_TAG);
    return exitCode ?? 128 + (signal === undefined ? 0 : constants.signals[signal]);
  };
  return {
    pid: child.pid,
    exit: ended(),
    stop: () => {
      if (child.pid !== undefined) sendSignal(child.pid, 'SIGINT');
    },
    kill: () => killTagged(tag, TRIAL_TAG),
  };
};
