import { availableParallelism, constants } from 'node:os';
import { startTrial } from '../processes/trial-process.ts';
import type { Interrupts } from './local.ts';
import type { TrialCommand, TrialExecutor, TrialOutcome } from './trials.ts';

/** The exit codes of a trial's command that mean something here: posetwin's own, and 128 + signal. */
const interrupted = [130, ...(['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map(name => 128 + constants.signals[name])];
const completed = [0, 4];

/** What an exit code says; `stopped`: this sweep has asked for the end. */
export const outcomeOf = (exit_code: number, stopped: boolean): TrialOutcome => {
  if (completed.includes(exit_code)) return { state: 'done' };
  if (stopped && exit_code > 128) return { state: 'cancelled' };
  return interrupted.includes(exit_code) ? { state: 'preempted' } : { state: 'failed', exit_code };
};

/** Trials side by side share the cores; one alone has them all, unless the environment says otherwise. */
const threadsOf = (slots: number, { nproc_per_node }: TrialCommand): Record<string, string> =>
  slots === 1 || process.env.OMP_NUM_THREADS !== undefined
    ? {}
    : { OMP_NUM_THREADS: String(Math.max(1, Math.floor(availableParallelism() / (slots * nproc_per_node)))) };

export interface LocalOptions {
  /** trials at a time */
  slots: number;
  /** the module that is run; posetwin's own unless a test has another */
  entry?: string;
}

/** Trials on this machine, each one process tree. */
export class LocalTrials implements TrialExecutor {
  readonly #options: LocalOptions;

  constructor(options: LocalOptions) {
    this.#options = options;
  }

  /** Those that an interrupt keeps from being started are told as cancelled. What `onEnd` throws ends the others. */
  async run(
    trials: readonly TrialCommand[],
    onEnd: (id: string, outcome: TrialOutcome) => void | Promise<void>,
    interrupts: Interrupts,
  ): Promise<void> {
    const waiting = [...trials];
    const failed = new AbortController();
    const stop = AbortSignal.any([interrupts.stop, failed.signal]);
    const work = async (): Promise<void> => {
      for (let trial = waiting.shift(); trial !== undefined; trial = waiting.shift()) {
        const outcome = await this.#runOne(trial, { stop, kill: interrupts.kill });
        await onEnd(trial.id, outcome);
      }
    };
    const slots = Array.from({ length: Math.min(this.#options.slots, trials.length) }, () =>
      work().catch((cause: unknown) => {
        failed.abort();
        throw cause;
      }),
    );
    const ends = await Promise.allSettled(slots);
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  async #runOne(trial: TrialCommand, { stop, kill }: Interrupts): Promise<TrialOutcome> {
    if (stop.aborted) return { state: 'cancelled' };
    const { slots, entry } = this.#options;
    const { args, log } = trial;
    const running = startTrial({ args, log, env: threadsOf(slots, trial), ...(entry === undefined ? {} : { entry }) });
    stop.addEventListener('abort', running.stop, { once: true });
    kill.addEventListener('abort', running.kill, { once: true });
    try {
      return outcomeOf(await running.exit, stop.aborted);
    } finally {
      stop.removeEventListener('abort', running.stop);
      kill.removeEventListener('abort', running.kill);
    }
  }
}
