import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { SweepTrial } from '../contracts/sweep.ts';
import { PosetwinError } from '../errors.ts';
import { isLocked } from '../processes/lock.ts';
import { onInterrupt } from '../processes/signals.ts';
import { chooseRun, type FoundSweep, type RunFolder, type SweepFolder } from '../runs/index.ts';
import { exitCodes } from './exit-codes.ts';
import { findRun } from './find-run.ts';
import { findSweep, sweepCalled } from './find-sweep.ts';
import { LineReader } from './follow.ts';
import { stateOf } from './trial-state.ts';

export interface LogsOptions {
  follow: boolean;
}

const pollMs = 1000;

/** `waiting`: whoever starts trials may yet start it, again or for the first time. */
type Doing = 'at work' | 'waiting' | 'ended';

/** What prints into one log. */
interface Printer {
  /** before each line, where several print */
  prefix: string;
  log: string;
  doing: () => Promise<Doing>;
}

interface Source {
  /** asked again and again: a sweep may get new trials meanwhile */
  printers: () => Promise<Printer[]>;
  /** whether somebody is there to start what waits */
  isAttended: () => Promise<boolean>;
}

const ofRun = (run: RunFolder): Source => ({
  printers: async () => [
    {
      prefix: '',
      log: run.file('log.txt'),
      doing: async () => (stateOf(await run.status()) === 'running' ? 'at work' : 'ended'),
    },
  ],
  isAttended: async () => false,
});

/** What the sweep has caught of a trial; of one that was run by hand, what its run has kept. */
const logOf = (folder: SweepFolder, { id }: SweepTrial, run: RunFolder): string =>
  existsSync(folder.log(id)) || !existsSync(run.file('log.txt')) ? folder.log(id) : run.file('log.txt');

/** A failed one may be tried again, unless the sweep has written it off. */
const trialDoing = async (folder: SweepFolder, { id }: SweepTrial, run: RunFolder): Promise<Doing> => {
  const state = stateOf(await run.status());
  if (state === 'running') return 'at work';
  if (state === 'done' || state === 'diverged') return 'ended';
  if (state !== 'failed') return 'waiting';
  const last = (await folder.attempts()).findLast(({ trial }) => trial === id);
  return last?.next === 'none' ? 'ended' : 'waiting';
};

/** The trials of the plan, which is read again only where it was written again: it may be large. */
const planReader = (folder: SweepFolder): (() => Promise<readonly SweepTrial[]>) => {
  let [trials, modified]: [readonly SweepTrial[], number | undefined] = [[], undefined];
  return async () => {
    const latest = (await stat(folder.planFile).catch(() => undefined))?.mtimeMs;
    if (latest !== modified) trials = (await folder.plan())?.trials ?? [];
    modified = latest;
    return trials;
  };
};

const ofSweep = ({ folder }: FoundSweep, wanted: string | undefined): Source => {
  const readTrials = planReader(folder);
  const printerOf = (trial: SweepTrial): Printer => {
    const { run } = chooseRun(trial.experiment, { fresh: false });
    return {
      prefix: wanted === undefined ? `${trial.id}  ` : '',
      log: logOf(folder, trial, run),
      doing: () => trialDoing(folder, trial, run),
    };
  };
  return {
    printers: async () => (await readTrials()).filter(({ id }) => wanted === undefined || id === wanted).map(printerOf),
    isAttended: () => isLocked(folder.lock),
  };
};

const sourceOf = async (given: string, trial: string | undefined): Promise<Source> => {
  if (trial === undefined && (await sweepCalled(given)) === undefined) return ofRun(await findRun(given));
  const sweep = await findSweep(given);
  if (trial === undefined || sweep.plan.trials.some(({ id }) => id === trial)) return ofSweep(sweep, trial);
  throw new PosetwinError('usage', `the sweep ${sweep.plan.name} has no trial '${trial}'`, {
    hint: `posetwin status ${sweep.plan.name} lists them`,
  });
};

/** Prints what is new of every log, one log after the other, so that lines of one trial stay together. */
class Printing {
  readonly #readers = new Map<string, LineReader>();

  async printNew(printers: readonly Printer[], isLast = false): Promise<void> {
    for (const { prefix, log } of printers) {
      const reader = this.#readers.get(log) ?? new LineReader(log);
      this.#readers.set(log, reader);
      for (const line of [...(await reader.read()), ...(isLast ? reader.end() : [])]) console.log(`${prefix}${line}`);
    }
  }
}

const isOver = async (source: Source, printers: readonly Printer[]): Promise<boolean> => {
  let isWaiting = false;
  for (const { doing } of printers) {
    const found = await doing();
    if (found === 'at work') return false;
    isWaiting ||= found === 'waiting';
  }
  return !isWaiting || !(await source.isAttended());
};

/** Until all have ended, or nobody is at work any more, or `stop`. */
const follow = async (source: Source, printing: Printing, stop: AbortSignal): Promise<void> => {
  // Nobody reads on after `| head`.
  while (!stop.aborted && process.stdout.errored === null) {
    const printers = await source.printers();
    // Asked before the logs are read: what is printed before an end is not missed.
    const over = await isOver(source, printers);
    await printing.printNew(printers);
    if (over) return;
    await delay(pollMs, undefined, { signal: stop }).catch(() => undefined);
  }
};

/**
 * `posetwin logs <sweep|run> [trial]`: what the trials of a sweep, one of them, or a run have printed. `follow` goes on
 * until all have ended, nobody is left who works on them, or Ctrl-C; new trials of a sweep are taken up. Answers 0; raises
 * `usage`.
 */
export const showLogs = async (given: string, trial: string | undefined, options: LogsOptions): Promise<number> => {
  const source = await sourceOf(given, trial);
  const printing = new Printing();
  const stop = new AbortController();
  const release = onInterrupt({ stop: () => stop.abort(), kill: () => stop.abort() });
  try {
    if (options.follow) await follow(source, printing, stop.signal);
    await printing.printNew(await source.printers(), true);
    return exitCodes.done;
  } finally {
    release();
  }
};
