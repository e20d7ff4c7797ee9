import { availableParallelism, constants } from 'node:os';
import { visibleDevices } from '../processes/devices.ts';
import { startTrial } from '../processes/trial-process.ts';
import type { Interrupts } from './local.ts';
import { CUT, type TrialCommand, type TrialExecutor, type TrialOutcome } from './trials.ts';

/** The exit codes of a trial's command that mean something here: posetwin's own, and 128 + signal. */
const interrupted = [130, ...(['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map(name => 128 + constants.signals[name])];
const completed = [0, 4];

/** What an exit code says; `stopped`: this sweep has asked for the end. */
export const outcomeOf = (exit_code: number, stopped: boolean): TrialOutcome => {
  if (completed.includes(exit_code)) return { state: 'done' };
  if (exit_code === CUT) return { state: 'cut' };
  if (stopped && exit_code > 128) return { state: 'cancelled' };
  return interrupted.includes(exit_code) ? { state: 'preempted' } : { state: 'failed', exit_code };
};

/** What trials side by side share: the cores, and the devices, of which each trial has some of its own while they last. */
export const shareOf = (
  slot: number,
  { slots, cores, devices }: { slots: number; cores: number; devices: readonly string[] },
  nproc_per_node: number,
): Record<string, string> => {
  if (slots === 1) return {};
  const threads = { OMP_NUM_THREADS: String(Math.max(1, Math.floor(cores / (slots * nproc_per_node)))) };
  if (devices.length < nproc_per_node) return threads;
  const groups = Math.floor(devices.length / nproc_per_node);
  const first = (slot % groups) * nproc_per_node;
  return { ...threads, CUDA_VISIBLE_DEVICES: devices.slice(first, first + nproc_per_node).join() };
};

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
    const work = async (slot: number): Promise<void> => {
      for (let trial = waiting.shift(); trial !== undefined; trial = waiting.shift()) {
        const outcome = await this.#runOne(trial, slot, { stop, kill: interrupts.kill });
        await onEnd(trial.id, outcome);
      }
    };
    const slots = Array.from({ length: Math.min(this.#options.slots, trials.length) }, (_, slot) =>
      work(slot).catch((cause: unknown) => {
        failed.abort();
        throw cause;
      }),
    );
    const ends = await Promise.allSettled(slots);
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  async #runOne(trial: TrialCommand, slot: number, { stop, kill }: Interrupts): Promise<TrialOutcome> {
    if (stop.aborted) return { state: 'cancelled' };
    const { slots, entry } = this.#options;
    const { args, log, nproc_per_node } = trial;
    const machine = { slots, cores: availableParallelism(), devices: visibleDevices() };
    const env = { ...shareOf(slot, machine, nproc_per_node), ...this.#given() };
    const running = startTrial({ args, log, env, ...(entry === undefined ? {} : { entry }) });
    stop.addEventListener('abort', running.stop, { once: true });
    kill.addEventListener('abort', running.kill, { once: true });
    try {
      return outcomeOf(await running.exit, stop.aborted);
    } finally {
      stop.removeEventListener('abort', running.stop);
      kill.removeEventListener('abort', running.kill);
    }
  }

  /** What a person has set by hand is not shared out. */
  #given(): Record<string, string> {
    const { OMP_NUM_THREADS } = process.env;
    return OMP_NUM_THREADS === undefined ? {} : { OMP_NUM_THREADS };
  }
}
