import { setTimeout as delay } from 'node:timers/promises';
import { toPosetwinError } from '../errors.ts';
import { cancelJob, cancelPending, signalScripts } from '../processes/slurm.ts';
import { type JobRecord, recordOf } from '../processes/slurm-records.ts';
import type { Interrupts } from './local.ts';
import { grouped, SlurmArrays, type SlurmOptions, type Watched } from './slurm-arrays.ts';
import type { TrialArray } from './slurm-journal.ts';
import { isInterrupted, unknownEnd } from './slurm-outcome.ts';
import type { TrialCommand, TrialExecutor, TrialOutcome } from './trials.ts';

type OnEnd = Parameters<TrialExecutor['run']>[1];

/** A shared file system may show a file a minute after it was written. */
const MISSING_MS = 60_000;
/** The controller may be away for so long. */
const PATIENCE_MS = 3_600_000;
const STOPPING_POLL_MS = 2_000;

/** Trials as job arrays of a Slurm cluster: throttled, requeued after a checkpoint, found again by the same command. */
export class SlurmTrials implements TrialExecutor {
  readonly outlivesCommand = true;
  readonly #options: SlurmOptions;
  readonly #arrays: SlurmArrays;
  /** trial → since when neither controller nor job script knows of it */
  readonly #missing = new Map<string, number>();
  #told = '';

  constructor(options: SlurmOptions) {
    this.#options = options;
    this.#arrays = new SlurmArrays(options);
  }

  /**
   * Runs all trials to their ends. The first interrupt lets running trials save a checkpoint and end, the second ends
   * them at once; whatever else ends this command leaves the jobs at work, for the same command to find again. Raises
   * `no_slurm`, `slurm_unreachable`, `slurm_refused`, `missing_file`, `refused_combination`.
   */
  async run(trials: readonly TrialCommand[], onEnd: OnEnd, interrupts: Interrupts): Promise<void> {
    const found = await this.#arrays.find(trials);
    const known = new Set(found.flatMap(({ open }) => [...open.values()].map(({ id }) => id)));
    const rest = trials.filter(({ id }) => !known.has(id));
    if (interrupts.stop.aborted) for (const { id } of rest) await onEnd(id, { state: 'cancelled' });
    else found.push(...(await this.#arrays.submit(rest)));
    await this.#watch(found, onEnd, interrupts);
  }

  async #watch(watched: readonly Watched[], onEnd: OnEnd, interrupts: Interrupts): Promise<void> {
    const left = () => watched.filter(({ open }) => open.size > 0);
    for (let answered = Date.now(); left().length > 0; ) {
      if (interrupts.kill.aborted) return this.#kill(left(), onEnd);
      try {
        for (const one of left()) await this.#poll(one, onEnd, interrupts.stop.aborted);
        answered = Date.now();
      } catch (cause) {
        const error = toPosetwinError(cause);
        if (error.code !== 'slurm_unreachable' || Date.now() - answered > PATIENCE_MS) throw error;
        this.#tell('the controller does not answer; waiting for it');
      }
      if (left().length > 0) await this.#pause(interrupts);
    }
  }

  async #poll({ array, open }: Watched, onEnd: OnEnd, stopping: boolean): Promise<void> {
    if (stopping) await this.#askToEnd(array);
    const records = await this.#arrays.records(array);
    this.#tell(describe([...open.keys()], records));
    for (const [task, { id }] of [...open]) {
      const outcome = await this.#outcome(array, task, recordOf(records, task));
      if (outcome === undefined) continue;
      // Told before it is noted: a crash between the two tells it twice and never loses it.
      await onEnd(id, stopping && isInterrupted(outcome) ? { state: 'cancelled' } : outcome);
      await this.#arrays.journal.settled(array, task, outcome.state);
      open.delete(task);
    }
  }

  async #outcome(array: TrialArray, task: number, record: JobRecord | undefined): Promise<TrialOutcome | undefined> {
    const key = `${array.token}/${task}`;
    const outcome = await this.#arrays.outcome(array, task, record);
    if (outcome !== undefined || record !== undefined) {
      this.#missing.delete(key);
      return outcome;
    }
    const since = this.#missing.get(key) ?? Date.now();
    this.#missing.set(key, since);
    return Date.now() - since > MISSING_MS ? unknownEnd : undefined;
  }

  /** Asked again at every poll: a task may have begun in between, and a job script listens to the first time alone. */
  async #askToEnd({ job_id }: TrialArray): Promise<void> {
    if (job_id === undefined) return;
    await cancelPending(job_id);
    await signalScripts(job_id, 'USR2');
  }

  async #kill(watched: readonly Watched[], onEnd: OnEnd): Promise<void> {
    for (const { array, open } of watched) {
      if (array.job_id !== undefined) await cancelJob(array.job_id);
      for (const [task, { id }] of open) {
        await onEnd(id, { state: 'cancelled' });
        await this.#arrays.journal.settled(array, task, 'cancelled');
      }
    }
  }

  async #pause({ stop, kill }: Interrupts): Promise<void> {
    const poll_ms = this.#options.slurm.poll_seconds * 1000;
    const wait_ms = stop.aborted ? Math.min(poll_ms, STOPPING_POLL_MS) : poll_ms;
    const signal = AbortSignal.any(stop.aborted ? [kill] : [stop, kill]);
    await delay(wait_ms, undefined, { signal }).catch(() => undefined);
  }

  /** A line, where it is news. */
  #tell(line: string): void {
    if (line === this.#told || line === '') return;
    this.#told = line;
    this.#options.say?.(`slurm: ${line}`);
  }
}

/** How many tasks are in which state, and why they wait. */
const describe = (tasks: readonly number[], records: readonly JobRecord[]): string => {
  const states = tasks
    .flatMap(task => recordOf(records, task) ?? [])
    .map(({ state, reason }) =>
      state === 'PENDING' && reason !== 'None' ? `pending (${reason})` : state.toLowerCase(),
    );
  const counts = [...grouped(states, state => state)].map(([state, { length }]) => `${length} ${state}`);
  return counts.sort().join(', ');
};
