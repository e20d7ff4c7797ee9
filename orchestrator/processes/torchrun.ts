import { randomUUID } from 'node:crypto';
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';
import { PosetwinError, toPosetwinError } from '../errors.ts';
import { killTagged, killTaggedUntilNone, listTagged, sendSignal } from './process-table.ts';
import {
  errorFileOf,
  type WorkerCommandOptions,
  workerCommand,
  workerEnvironment,
  worldSize,
} from './worker-command.ts';
import { countMemoryKills, endedBySigterm, failureOf, type Remains, WorkerError } from './worker-failure.ts';

export interface WorkerOptions<E> extends WorkerCommandOptions {
  /** of every line that begins with `{`, the `error` event included */
  eventSchema: z.ZodType<E>;
  /** called in order, one at a time; what it throws ends the worker */
  onEvent: (event: E) => void | Promise<void>;
  /** aborted: checkpoint and stop */
  signal?: AbortSignal;
  /** after `stop`, and after an error event, until all that is left is killed */
  graceMs?: number;
}

export interface WorkerExit {
  outcome: 'finished' | 'stopped' | 'killed';
  exit_code: number | null;
  signal: NodeJS.Signals | null;
  duration_ms: number;
  /** standard error of all ranks, and whatever they print */
  log: string;
}

export interface RunningWorker {
  /** of the launcher: torchrun, or the single worker */
  readonly pid: number | undefined;
  readonly log: string;
  /** how it ended, when nothing of it is left alive; rejects with the root cause of a failure */
  readonly exit: Promise<WorkerExit>;
  /** asks the worker to save a checkpoint and end; more than once is the same as once */
  stop(): void;
  /** ends the whole tree now */
  kill(): void;
}

type Subprocess = ReturnType<typeof spawn>;

const GRACE_MS = 120_000;
/** srun takes about so long to end what it has started on other nodes. */
const REMOTE_MS = 10_000;
/** A rank that failed leaves the others waiting for it: they get this long to tell what they saw. */
const AFTER_ERROR_MS = 5_000;

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

const spawn = (options: WorkerCommandOptions, tag: string, log: string) => {
  const { file, args } = workerCommand(options);
  return execa(file, args, {
    env: workerEnvironment(options, tag),
    extendEnv: false,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: { file: log, append: true },
    buffer: false,
    reject: false,
    // Its own session: Ctrl-C in a terminal reaches the orchestrator alone.
    detached: true,
  });
};

class Worker<E> implements RunningWorker {
  readonly exit: Promise<WorkerExit>;
  readonly log: string;
  readonly #options: WorkerOptions<E>;
  readonly #tag = randomUUID();
  readonly #child: Subprocess;
  readonly #errors: WorkerError[] = [];
  readonly #start = Date.now();
  readonly #memoryKills = countMemoryKills();
  #timer: NodeJS.Timeout | undefined;
  /** an event that is none, or that could not be handled */
  #broken: PosetwinError | undefined;
  #asked: 'nothing' | 'stop' | 'kill' = 'nothing';

  constructor(options: WorkerOptions<E>) {
    this.#options = options;
    mkdirSync(options.log_dir, { recursive: true });
    rmSync(errorFileOf(options.log_dir), { force: true });
    this.log = join(options.log_dir, 'worker.log');
    writeFileSync(this.log, '');
    this.#child = spawn(options, this.#tag, this.log);
    // Ranks of a killed torchrun would keep its standard output open.
    this.#child.once('exit', () => killTagged(this.#tag));
    this.exit = this.#run();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  readonly stop = (): void => {
    if (this.#asked !== 'nothing') return;
    this.#asked = 'stop';
    // Past torchrun, which would give its ranks 30 seconds and then report a failure whatever they did.
    const ranks = this.#ranksHere();
    const targets = worldSize(this.#options) > 1 && ranks.length > 0 ? ranks : [this.pid];
    for (const pid of targets) if (pid !== undefined) sendSignal(pid, 'SIGTERM');
    this.#killAfter(this.#options.graceMs ?? GRACE_MS, 'kill');
  };

  readonly kill = (): void => {
    this.#asked = 'kill';
    this.#end();
  };

  /** Children of torchrun on this machine. Those on other nodes learn from them that the training stops. */
  #ranksHere(): number[] {
    const tagged = listTagged(this.#tag);
    const pids = new Set(tagged.map(({ pid }) => pid));
    // On a node a daemon of Slurm's starts torchrun, and carries no tag.
    const isLauncher = ({ pid, ppid }: { pid: number; ppid: number }) =>
      this.#options.nodes === undefined ? pid === this.pid : pid !== this.pid && !pids.has(ppid);
    const launchers = new Set(tagged.filter(isLauncher).map(({ pid }) => pid));
    return tagged.filter(({ ppid }) => launchers.has(ppid)).map(({ pid }) => pid);
  }

  /** Ends all of it now. What is on other nodes only srun can reach: it must live until they have gone. */
  #end(): void {
    if (this.#options.nodes === undefined || this.pid === undefined) {
      killTagged(this.#tag);
      return;
    }
    sendSignal(this.pid, 'SIGTERM');
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => killTagged(this.#tag), REMOTE_MS);
  }

  #killAfter(ms: number, asked: 'kill' | 'nothing'): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (asked === 'kill') this.#asked = asked;
      this.#end();
    }, ms);
  }

  async #run(): Promise<WorkerExit> {
    const { signal } = this.#options;
    signal?.addEventListener('abort', this.stop, { once: true });
    if (signal?.aborted) this.stop();
    try {
      for await (const line of this.#child.iterable()) await this.#readOrEnd(line);
    } finally {
      clearTimeout(this.#timer);
      signal?.removeEventListener('abort', this.stop);
      await killTaggedUntilNone(this.#tag);
    }
    return this.#conclude();
  }

  /** Thrown out of the loop above, an error would first wait for the worker to end by itself. */
  async #readOrEnd(line: string): Promise<void> {
    if (this.#broken !== undefined) return;
    try {
      await this.#read(line);
    } catch (error) {
      this.#broken = toPosetwinError(error);
      this.#end();
    }
  }

  async #read(line: string): Promise<void> {
    if (!line.startsWith('{') || this.#isMixedUp(line)) {
      appendFileSync(this.log, `${line}\n`);
      return;
    }
    const event = this.#parse(line);
    const error = WorkerError.safeParse(event);
    if (error.success) this.#noteError(error.data);
    await this.#options.onEvent(event);
  }

  /** srun passes long lines on in pieces, and so mixes those of nodes that fail at the same time; files tell the rest. */
  #isMixedUp(line: string): boolean {
    return this.#options.nodes !== undefined && !isJson(line);
  }

  #parse(line: string): E {
    try {
      return this.#options.eventSchema.parse(JSON.parse(line));
    } catch (error) {
      const why = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
      throw new PosetwinError('contract_violation', `not an event: ${line}\n${why}`, { log: this.log, cause: error });
    }
  }

  #noteError(error: WorkerError): void {
    this.#errors.push(error);
    if (this.#errors.length > 1) return;
    this.#killAfter(Math.min(this.#options.graceMs ?? GRACE_MS, AFTER_ERROR_MS), 'nothing');
  }

  async #conclude(): Promise<WorkerExit> {
    const result = await this.#child;
    if (this.#broken !== undefined) throw this.#broken;
    if (this.pid === undefined) {
      throw new PosetwinError('no_python', `${this.#options.python} could not be run`, { cause: result });
    }
    const { log_dir } = this.#options;
    const remains: Remains = {
      exit_code: result.exitCode ?? null,
      signal: result.signal ?? null,
      ranks: worldSize(this.#options),
      errors: this.#errors,
      log: this.log,
      log_dir,
      memory_ran_out: countMemoryKills() > this.#memoryKills,
    };
    const { exit_code, signal } = remains;
    const exit = { exit_code, signal, duration_ms: Date.now() - this.#start, log: this.log };
    return { outcome: this.#outcome(remains), ...exit };
  }

  #outcome(remains: Remains): WorkerExit['outcome'] {
    if (this.#asked === 'kill') return 'killed';
    const asked = this.#asked === 'stop' ? 'stopped' : 'finished';
    if (remains.exit_code === 0 && remains.errors.length === 0) return asked;
    if (asked === 'stopped' && endedBySigterm(remains)) return asked;
    throw failureOf(remains);
  }
}

/**
 * Starts `python -m posetwin.worker …`, under torchrun when there are several ranks, under srun when they are on several nodes. Nothing of it outlives `exit`,
 * nor this process.
 */
export const startWorker = <E>(options: WorkerOptions<E>): RunningWorker => new Worker(options);

/**
 * Runs a worker to its end: `finished`, `stopped` (by `signal`) or `killed` (not stopped within `graceMs`).
 *
 * Throws the code of the worker's own error event, else `worker_failed` (an exception), `out_of_memory`, `worker_died`
 * (an exit code or a signal), `contract_violation` (a line that is no event), `no_python`; `details` hold the failing
 * rank's traceback and the log.
 */
export const runWorker = <E>(options: WorkerOptions<E>): Promise<WorkerExit> => startWorker(options).exit;
