import { copyFile, mkdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Slurm } from '../contracts/slurm.ts';
import { PosetwinError } from '../errors.ts';
import { findJob, showJobs, submitJob } from '../processes/slurm.ts';
import { type JobRecord, recordOf } from '../processes/slurm-records.ts';
import { readText, writeJson, writeText } from '../runs/index.ts';
import { SlurmJournal, type TrialArray } from './slurm-journal.ts';
import { isInterrupted, outcomeOf } from './slurm-outcome.ts';
import { jobScript, sbatchOptions } from './slurm-script.ts';
import type { TrialCommand, TrialOutcome } from './trials.ts';

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

/** The tasks of an array that somebody waits for, by their index. */
export interface Watched {
  array: TrialArray;
  open: Map<number, TrialCommand>;
}

const posetwin = join(import.meta.dirname, '..', 'run.ts');

const commentOf = ({ token }: TrialArray): string => `posetwin:${token}`;
const shapeOf = ({ nnodes, nproc_per_node }: TrialCommand): string => `${nnodes}x${nproc_per_node}`;

export const grouped = <T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> => {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
};

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    found => found.isFile(),
    () => false,
  );

/** Job arrays of trials: submitted, noted in a journal, found again by a later command. */
export class SlurmArrays {
  readonly journal: SlurmJournal;
  readonly #options: SlurmOptions;

  constructor(options: SlurmOptions) {
    this.#options = { ...options, folder: resolve(options.folder) };
    this.journal = new SlurmJournal(this.#options.folder);
  }

  /** What an earlier command has submitted, less what was stopped meanwhile: that is for another submission. */
  async find(trials: readonly TrialCommand[]): Promise<Watched[]> {
    const wanted = new Map(trials.map(trial => [trial.id, trial]));
    const found: Watched[] = [];
    for (const array of (await this.journal.read()).reverse()) {
      const open = new Map<number, TrialCommand>();
      for (const [task, id] of array.trials.entries()) {
        const trial = array.settled.has(task) ? undefined : wanted.get(id);
        if (trial !== undefined) open.set(task, trial);
      }
      if (open.size > 0) await this.#dropStopped(array, open);
      for (const { id } of open.values()) wanted.delete(id);
      if (open.size > 0) found.push({ array, open });
    }
    if (found.length > 0) this.#say(`found ${found.map(({ array }) => `job ${array.job_id}`).join(', ')} again`);
    return found;
  }

  /** One array for all trials of one shape. Raises `no_slurm`, `slurm_refused`, `missing_file`, `refused_combination`. */
  async submit(trials: readonly TrialCommand[]): Promise<Watched[]> {
    const watched: Watched[] = [];
    for (const alike of grouped(trials, shapeOf).values()) watched.push(await this.#submitAlike(alike));
    return watched;
  }

  /** What the controller knows of an array's tasks. */
  async records({ job_id }: TrialArray): Promise<JobRecord[]> {
    return job_id === undefined ? [] : showJobs(job_id);
  }

  /** How a task ended; undefined while it has not. */
  async outcome(array: TrialArray, task: number, record: JobRecord | undefined): Promise<TrialOutcome | undefined> {
    const written = await readText(join(this.journal.folderOf(array), 'exits', String(task)));
    return outcomeOf(record, written === undefined ? undefined : Number(written));
  }

  async #dropStopped(array: TrialArray, open: Map<number, TrialCommand>): Promise<void> {
    if (array.job_id === undefined) {
      const job_id = await findJob(commentOf(array));
      if (job_id !== undefined) await this.journal.submitted(array, job_id);
    }
    const records = await this.records(array);
    for (const task of [...open.keys()]) {
      const record = recordOf(records, task);
      const outcome = await this.outcome(array, task, record);
      const stopped = outcome === undefined ? record === undefined : isInterrupted(outcome);
      if (!stopped) continue;
      open.delete(task);
      await this.journal.settled(array, task, outcome?.state ?? 'lost');
    }
  }

  async #submitAlike(trials: readonly TrialCommand[]): Promise<Watched> {
    const { name, slots, slurm, entry = posetwin, cwd = process.cwd() } = this.#options;
    const [{ nnodes, nproc_per_node } = { nnodes: 1, nproc_per_node: 1 }] = trials;
    const array = await this.journal.plan(trials.map(({ id }) => id));
    const folder = this.journal.folderOf(array);
    const sizes = { num_trials: trials.length, slots, nnodes, nproc_per_node };
    const options = sbatchOptions({ name, comment: commentOf(array), folder, slurm, ...sizes });
    await this.#copySetup(folder);
    await this.#writeTrials(folder, trials, ['--import', import.meta.resolve('tsx'), entry]);
    await writeText(join(folder, 'job.sh'), jobScript({ folder, node: process.execPath }));
    const job_id = await submitJob(join(folder, 'job.sh'), options, cwd);
    await this.journal.submitted(array, job_id);
    this.#say(`submitted job ${job_id}: ${trials.length} trials, at most ${slots} at a time`);
    return { array, open: new Map(trials.entries()) };
  }

  async #writeTrials(folder: string, trials: readonly TrialCommand[], program: readonly string[]): Promise<void> {
    const tasks = trials.map(({ log, args }) => ({ log: resolve(log), args: [...program, ...args] }));
    for (const { log } of tasks) await mkdir(dirname(log), { recursive: true });
    await writeJson(join(folder, 'trials.json'), tasks);
  }

  /** Frozen with the array: a job may wait for days. */
  async #copySetup(folder: string): Promise<void> {
    const { setup } = this.#options.slurm;
    if (setup === null) return;
    if (await isFile(setup)) return copyFile(setup, join(folder, 'setup.sh'));
    throw new PosetwinError('missing_file', `there is no file ${setup}`, {
      path: 'slurm.setup',
      hint: 'write the bash lines that a job begins with into it, or leave `slurm.setup` out',
    });
  }

  #say(line: string): void {
    this.#options.say?.(`slurm: ${line}`);
  }
}
