import { setTimeout as delay } from 'node:timers/promises';
import type { TrialAttempt } from '../contracts/sweep.ts';
import type { Interrupts } from '../executors/local.ts';
import { backoffMs, type Judgement, judgeAttempt } from '../executors/retries.ts';
import type { TrialCommand, TrialExecutor, TrialOutcome } from '../executors/trials.ts';
import type { SweepFolder } from '../runs/index.ts';
import type { PreparedTrial } from './sweep-prepare.ts';

export interface TrialEnd {
  trial: PreparedTrial;
  attempt: TrialAttempt;
  judgement: Judgement;
}

export interface SweepRunOptions {
  folder: SweepFolder;
  executor: TrialExecutor;
  commandOf: (trial: PreparedTrial) => TrialCommand;
  /** the sweep stops when so many trials have failed for good; null: never */
  max_failures: number | null;
  /** the wait after a first failure */
  backoff_ms: number;
  onEnd: (end: TrialEnd) => void | Promise<void>;
}

/** Runs trials to their ends through an executor: wave after wave, those that are tried again in the next one. */
export class SweepRun {
  /** trials that failed for good */
  readonly failed = new Set<string>();
  /** why nothing more was started before all was done */
  stopped: 'cancelled' | 'failures' | undefined;
  readonly #options: SweepRunOptions;
  readonly #stop = new AbortController();
  readonly #attempts = new Map<string, number>();
  readonly #failures = new Map<string, number>();
  /** when the run of each trial was last started by another attempt: clocks of several machines need not agree */
  readonly #before = new Map<string, string | undefined>();
  #next: PreparedTrial[] = [];

  constructor(options: SweepRunOptions) {
    this.#options = options;
  }

  async run(trials: readonly PreparedTrial[], interrupts: Interrupts): Promise<void> {
    const stop = AbortSignal.any([interrupts.stop, this.#stop.signal]);
    for (let wave = [...trials]; wave.length > 0; wave = this.#next) {
      this.#next = [];
      await this.#runWave(wave, { ...interrupts, stop });
      if (interrupts.stop.aborted && this.#next.length > 0) this.stopped ??= 'cancelled';
      if (this.stopped !== undefined) return;
      await this.#wait(stop);
    }
  }

  async #runWave(wave: readonly PreparedTrial[], interrupts: Interrupts): Promise<void> {
    const { executor, commandOf } = this.#options;
    const byId = new Map(wave.map(trial => [trial.trial.id, trial]));
    const onEnd = async (id: string, outcome: TrialOutcome): Promise<void> => {
      const trial = byId.get(id);
      if (trial !== undefined) await this.#end(trial, outcome);
    };
    await this.#rememberStarts(wave);
    await executor.run(wave.map(commandOf), onEnd, interrupts);
  }

  /** What an earlier attempt has left in a run's status says nothing about this one. */
  async #rememberStarts(wave: readonly PreparedTrial[]): Promise<void> {
    const { executor, folder } = this.#options;
    const attempts = await folder.attempts();
    const journalled = new Map(
      attempts.flatMap(({ trial, started }) => (started === null ? [] : [[trial, started] as const])),
    );
    for (const { trial, run } of wave) {
      // A job that an earlier command submitted is this attempt, unless its end is journalled already.
      const before = executor.outlivesCommand ? journalled.get(trial.id) : (await run.status())?.started;
      this.#before.set(trial.id, before);
    }
  }

  /** As long as the one among the next that has failed most often. */
  async #wait(stop: AbortSignal): Promise<void> {
    const waits = this.#next.map(({ trial }) => backoffMs(this.#failures.get(trial.id) ?? 0, this.#options.backoff_ms));
    await delay(Math.max(0, ...waits), undefined, { signal: stop }).catch(() => undefined);
  }

  async #end(trial: PreparedTrial, outcome: TrialOutcome): Promise<void> {
    const { id } = trial.trial;
    const status = await trial.run.status();
    const started = status === undefined || status.started === this.#before.get(id) ? null : status.started;
    if (outcome.state === 'cancelled' && started === null) return this.#note('stopped', id);
    const told = started === null || status?.finished === null ? undefined : status;
    if (outcome.state === 'failed') this.#failures.set(id, (this.#failures.get(id) ?? 0) + 1);
    const judgement = judgeAttempt(outcome, told?.code ?? null, this.#failures.get(id) ?? 0);
    this.#attempts.set(id, (this.#attempts.get(id) ?? 0) + 1);
    const attempt: TrialAttempt = {
      trial: id,
      attempt: this.#attempts.get(id) ?? 1,
      started,
      ended: new Date().toISOString(),
      outcome: outcome.state,
      exit_code: outcome.state === 'failed' ? outcome.exit_code : null,
      code: told?.code ?? null,
      message: told?.message ?? null,
      next: judgement === 'retry' ? 'retry' : 'none',
    };
    await this.#options.folder.addAttempt(attempt);
    if (judgement === 'retry') this.#next.push(trial);
    this.#note(judgement, id);
    await this.#options.onEnd({ trial, attempt, judgement });
  }

  #note(judgement: Judgement, id: string): void {
    if (judgement === 'failed') this.failed.add(id);
    const { max_failures } = this.#options;
    if (judgement === 'stopped') this.stopped ??= 'cancelled';
    else if (max_failures !== null && this.failed.size >= max_failures) this.stopped ??= 'failures';
    if (this.stopped !== undefined) this.#stop.abort();
  }
}
