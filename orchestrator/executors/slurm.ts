import { copyFile, mkdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Slurm } from '../contracts/slurm.ts';
import { PosetwinError, toPosetwinError } from '../errors.ts';
import { cancelJob, cancelPending, findJob, showJobs, signalScripts, submitJob } from '../processes/slurm.ts';
import { type JobRecord, recordOf } from '../processes/slurm-records.ts';
import { readText, writeJson, writeText } from '../runs/index.ts';
import type { Interrupts } from './local.ts';
import { SlurmJournal, type TrialArray } from './slurm-journal.ts';
import { outcomeOf, unknownEnd } from './slurm-outcome.ts';
import { jobScript, sbatchOptions } from './slurm-script.ts';
import type { TrialCommand, TrialExecutor, TrialOutcome } from './trials.ts';

export interface SlurmOptions {
  /** names the jobs in squeue */
  name: string;
  /** on a file system that all nodes share; the same folder again finds what was submitted before */
  folder: string;
  /** trials that run at the same time, of each shape */
  slots: number;
  slurm: Slurm;
  /** the module that is run; posetwin's own unless a test has another */
  entry?: string;
  /** the working directory of every trial; this process's own when left out */
  cwd?: string;
  say?: (line: string) => void;
}

type OnEnd = Parameters<TrialExecutor['run']>[1];

/** The tasks of an array that somebody waits for, by their index. */
interface Watched {
  array: TrialArray;
  open: Map<number, TrialCommand>;
  /** polls in a row in which neither controller nor job script knew of a task */
  misses: Map<number, number>;
}

/** A shared file system may show a file a minute after it was written. */
const MISSES_MS = 60_000;
const PATIENCE_MS = 3_600_000;
const STOPPING_POLL_MS = 2_000;

const posetwin = join(import.meta.dirname, '..', 'run.ts');

const commentOf = ({ token }: TrialArray): string => `posetwin:${token}`;
const shapeOf = ({ nnodes, nproc_per_node }: TrialCommand): string => `${nnodes}x${nproc_per_node}`;

const grouped = <T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> => {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
};

const isInterrupted = ({ state }: TrialOutcome): boolean => state === 'preempted' || state === 'cancelled';

/** Trials as job arrays of a Slurm cluster: throttled, requeued after a checkpoint, found again by the same command. */
export class SlurmTrials implements TrialExecutor {
  readonly #options: SlurmOptions;
  readonly #journal: SlurmJournal;
  #told = '';

  constructor(options: SlurmOptions) {
    this.#options = { ...options, folder: resolve(options.folder) };
    this.#journal = new SlurmJournal(this.#options.folder);
  }

  /**
   * Runs all trials to their ends. The first interrupt lets running trials save a checkpoint and end, the second ends
   * them at once. Raises `no_slurm`, `slurm_unreachable`, `slurm_refused`, `missing_file`, `refused_combination`.
   */
  async run(trials: readonly TrialCommand[], onEnd: OnEnd, interrupts: Interrupts): Promise<void> {
    const watched = await this.#findAgain(trials);
    const found = new Set(watched.flatMap(({ open }) => [...open.values()].map(({ id }) => id)));
    const rest = trials.filter(({ id }) => !found.has(id));
    if (interrupts.stop.aborted) for (const { id } of rest) await onEnd(id, { state: 'cancelled' });
    else for (const alike of grouped(rest, shapeOf).values()) watched.push(await this.#submit(alike));
    await this.#watch(watched, onEnd, interrupts);
  }

  /** What an earlier call has submitted, less what was stopped meanwhile: that is submitted anew. */
  async #findAgain(trials: readonly TrialCommand[]): Promise<Watched[]> {
    const wanted = new Map(trials.map(trial => [trial.id, trial]));
    const watched: Watched[] = [];
    for (const array of (await this.#journal.read()).reverse()) {
      const tasks = array.trials.flatMap((id, task) => {
        const trial = array.settled.has(task) ? undefined : wanted.get(id);
        return trial === undefined ? [] : [[task, trial] as const];
      });
      if (tasks.length === 0) continue;
      const open = new Map(tasks);
      await this.#dropStopped(array, open);
      for (const { id } of open.values()) wanted.delete(id);
      if (open.size > 0) watched.push({ array, open, misses: new Map() });
    }
    if (watched.length > 0) this.#say(`found ${watched.map(({ array }) => `job ${array.job_id}`).join(', ')} again`);
    return watched;
  }

  async #dropStopped(array: TrialArray, open: Map<number, TrialCommand>): Promise<void> {
    if (array.job_id === undefined) {
      const job_id = await findJob(commentOf(array));
      if (job_id !== undefined) await this.#journal.submitted(array, job_id);
    }
    const records = await this.#ask(array);
    for (const task of [...open.keys()]) {
      const record = recordOf(records, task);
      const outcome = outcomeOf(record, await this.#exitCode(array, task));
      const stopped = outcome === undefined ? record === undefined : isInterrupted(outcome);
      if (!stopped) continue;
      open.delete(task);
      await this.#journal.settled(array, task, outcome?.state ?? 'lost');
    }
  }

  async #submit(trials: readonly TrialCommand[]): Promise<Watched> {
    const { name, slots, slurm, entry = posetwin, cwd = process.cwd() } = this.#options;
    const [first] = trials;
    if (first === undefined) throw new PosetwinError('bug', 'a job array without trials');
    const array = await this.#journal.plan(trials.map(({ id }) => id));
    const folder = this.#journal.folderOf(array);
    const program = ['--import', import.meta.resolve('tsx'), entry];
    const tasks = trials.map(({ log, args }) => ({ log: resolve(log), args: [...program, ...args] }));
    const shape = { nnodes: first.nnodes, nproc_per_node: first.nproc_per_node };
    const sizes = { num_trials: trials.length, slots, ...shape };
    const options = sbatchOptions({ name, comment: commentOf(array), folder, slurm, ...sizes });
    await this.#copySetup(folder);
    for (const { log } of tasks) await mkdir(dirname(log), { recursive: true });
    await writeJson(join(folder, 'trials.json'), tasks);
    await writeText(join(folder, 'job.sh'), jobScript({ folder, node: process.execPath }));
    const job_id = await submitJob(join(folder, 'job.sh'), options, cwd);
    await this.#journal.submitted(array, job_id);
    this.#say(`submitted job ${job_id}: ${trials.length} trials, at most ${slots} at a time`);
    return { array, open: new Map(trials.entries()), misses: new Map() };
  }

  /** Frozen with the array: a job may wait for days. */
  async #copySetup(folder: string): Promise<void> {
    const { setup } = this.#options.slurm;
    if (setup === null) return;
    const isFile = await stat(setup).then(
      found => found.isFile(),
      () => false,
    );
    if (!isFile) {
      throw new PosetwinError('missing_file', `there is no file ${setup}`, {
        path: 'slurm.setup',
        hint: 'write the bash lines that a job begins with into it, or leave `slurm.setup` out',
      });
    }
    await copyFile(setup, join(folder, 'setup.sh'));
  }

  async #watch(watched: readonly Watched[], onEnd: OnEnd, interrupts: Interrupts): Promise<void> {
    let answered = Date.now();
    while (watched.some(({ open }) => open.size > 0)) {
      if (interrupts.kill.aborted) return this.#kill(watched, onEnd);
      try {
        for (const one of watched) if (one.open.size > 0) await this.#poll(one, onEnd, interrupts.stop.aborted);
        answered = Date.now();
      } catch (cause) {
        const error = toPosetwinError(cause);
        if (error.code !== 'slurm_unreachable' || Date.now() - answered > PATIENCE_MS) throw error;
        this.#say('the controller does not answer; waiting for it');
      }
      if (watched.some(({ open }) => open.size > 0)) await this.#pause(interrupts);
    }
  }

  async #poll(watched: Watched, onEnd: OnEnd, stopping: boolean): Promise<void> {
    const { array, open } = watched;
    if (stopping) await this.#askToEnd(array);
    const records = await this.#ask(array);
    this.#tell(open, records);
    for (const [task, { id }] of [...open]) {
      const outcome = await this.#outcome(watched, task, recordOf(records, task));
      if (outcome === undefined) continue;
      // Told before it is noted: a crash between the two tells it twice and never loses it.
      await onEnd(id, stopping && isInterrupted(outcome) ? { state: 'cancelled' } : outcome);
      await this.#journal.settled(array, task, outcome.state);
      open.delete(task);
    }
  }

  async #outcome(
    { array, misses }: Watched,
    task: number,
    record: JobRecord | undefined,
  ): Promise<TrialOutcome | undefined> {
    const outcome = outcomeOf(record, await this.#exitCode(array, task));
    if (outcome !== undefined || record !== undefined) {
      misses.delete(task);
      return outcome;
    }
    const missed = (misses.get(task) ?? 0) + 1;
    misses.set(task, missed);
    return missed * this.#options.slurm.poll_seconds * 1000 > MISSES_MS ? unknownEnd : undefined;
  }

  /** Asked again at every poll: a task may have begun in between, and a job script listens to the first time alone. */
  async #askToEnd({ job_id }: TrialArray): Promise<void> {
    if (job_id === undefined) return;
    await cancelPending(job_id);
    await signalScripts(job_id, 'USR2');
  }

  async #kill(watched: readonly Watched[], onEnd: OnEnd): Promise<void> {
    for (const { array, open } of watched) {
      if (open.size > 0 && array.job_id !== undefined) await cancelJob(array.job_id);
      for (const [task, { id }] of open) {
        await onEnd(id, { state: 'cancelled' });
        await this.#journal.settled(array, task, 'cancelled');
      }
    }
  }

  async #ask({ job_id }: TrialArray): Promise<JobRecord[]> {
    return job_id === undefined ? [] : showJobs(job_id);
  }

  async #exitCode(array: TrialArray, task: number): Promise<number | undefined> {
    const text = await readText(join(this.#journal.folderOf(array), 'exits', String(task)));
    return text === undefined ? undefined : Number(text);
  }

  async #pause({ stop, kill }: Interrupts): Promise<void> {
    const poll_ms = this.#options.slurm.poll_seconds * 1000;
    const wait_ms = stop.aborted ? Math.min(poll_ms, STOPPING_POLL_MS) : poll_ms;
    const signal = AbortSignal.any(stop.aborted ? [kill] : [stop, kill]);
    await delay(wait_ms, undefined, { signal }).catch(() => undefined);
  }

  /** How many tasks are in which state, where that is news. */
  #tell(open: ReadonlyMap<number, TrialCommand>, records: readonly JobRecord[]): void {
    const states = [...open.keys()]
      .flatMap(task => recordOf(records, task) ?? [])
      .map(({ state, reason }) =>
        state === 'PENDING' && reason !== 'None' ? `pending (${reason})` : state.toLowerCase(),
      );
    const counts = [...grouped(states, state => state)].map(([state, { length }]) => `${length} ${state}`);
    const line = counts.sort().join(', ');
    if (line === this.#told || line === '') return;
    this.#told = line;
    this.#say(line);
  }

  #say(line: string): void {
    this.#options.say?.(`slurm: ${line}`);
  }
}
