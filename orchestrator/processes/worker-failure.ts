import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { z } from 'zod';
import { type ErrorCode, isErrorCode, PosetwinError } from '../errors.ts';
import { errorFileOf } from './worker-command.ts';

/** The event by which any rank tells why it fails; python/posetwin/worker.py writes it. */
export const WorkerError = z.object({
  type: z.literal('error'),
  time: z.number(),
  rank: z.int(),
  code: z.string(),
  message: z.string(),
  hint: z.string().nullable(),
  traceback: z.string(),
});
export type WorkerError = z.output<typeof WorkerError>;

/** How a launch ended, as far as files and events tell. */
export interface Remains {
  exit_code: number | null;
  signal: NodeJS.Signals | null;
  /** on all machines */
  ranks: number;
  errors: readonly WorkerError[];
  log: string;
  log_dir: string;
  /** the kernel killed a process for lack of memory meanwhile */
  memory_ran_out: boolean;
}

interface Death {
  rank: number;
  /** negative: the number of the signal */
  exit_code: number;
}

const memoryHint = 'lower train.micro_batch_size or dataset.image_size, or close other programs';

const readText = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

/** The ranks in the report that torchrun prints at its end. */
const reportedDeaths = (text: string): Death[] =>
  [...text.matchAll(/rank\s+: (\d+) .*\n\s+exitcode\s+: (-?\d+)/g)].map(match => ({
    rank: Number(match[1]),
    exit_code: Number(match[2]),
  }));

const numberOf = (signal: NodeJS.Signals): number => constants.signals[signal];

const findDeaths = ({ exit_code, signal, ranks, log }: Remains): Death[] => {
  if (ranks > 1) return reportedDeaths(readText(log));
  return [{ rank: 0, exit_code: signal === null ? (exit_code ?? 1) : -numberOf(signal) }];
};

const signalName = (number: number): string =>
  Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? `signal ${number}`;

const where = (ranks: number, rank: number): string => (ranks > 1 ? `rank ${rank}: ` : '');

const fromEvent = ({ ranks, log }: Remains, error: WorkerError): PosetwinError => {
  const code: ErrorCode = isErrorCode(error.code) ? error.code : 'worker_failed';
  const hint = error.hint ?? (code === 'out_of_memory' ? memoryHint : null);
  const details = { traceback: error.traceback, log, ...(hint === null ? {} : { hint }) };
  return new PosetwinError(code, `${where(ranks, error.rank)}${error.message}`, details);
};

const fromDeath = ({ ranks, log, memory_ran_out }: Remains, { rank, exit_code }: Death): PosetwinError => {
  const place = where(ranks, rank);
  if (exit_code === -constants.signals.SIGKILL && memory_ran_out) {
    return new PosetwinError('out_of_memory', `${place}killed for lack of memory`, { log, hint: memoryHint });
  }
  const how = exit_code < 0 ? `was ended by ${signalName(-exit_code)}` : `ended with exit code ${exit_code}`;
  return new PosetwinError('worker_died', `${place}the worker ${how}`, { log, hint: `see ${log}` });
};

const ErrorFile = z.object({
  message: z.object({ message: z.string(), extraInfo: z.object({ py_callstack: z.string() }) }),
});

/** torchrun's record of the first failing rank: for a failure that could not be told by an event. */
const fromErrorFile = ({ log, log_dir }: Remains): PosetwinError | null => {
  const text = readText(errorFileOf(log_dir));
  if (text === '') return null;
  const { message } = ErrorFile.parse(JSON.parse(text));
  return new PosetwinError('worker_failed', message.message, { log, traceback: message.extraInfo.py_callstack });
};

const fromLauncher = ({ exit_code, signal, log }: Remains): PosetwinError => {
  const how = signal === null ? `ended with exit code ${exit_code}` : `was ended by ${signal}`;
  return new PosetwinError('worker_died', `torchrun ${how}`, { log, hint: `see ${log}` });
};

/** A rank that hangs tells so itself; one that is frozen whole cannot, and is known by its silence when the others tell. */
const fromTimeout = (remains: Remains, error: WorkerError): PosetwinError => {
  const silent = Array.from({ length: remains.ranks }, (_, rank) => rank).filter(
    rank => !remains.errors.some(told => told.rank === rank),
  );
  const message = silent.length === 0 ? error.message : `${error.message}; no word from rank ${silent.join(', ')}`;
  return fromEvent(remains, { ...error, message });
};

const isMute = (death: Death, errors: readonly WorkerError[]): boolean =>
  death.exit_code < 0 &&
  death.exit_code !== -constants.signals.SIGTERM &&
  !errors.some(error => error.rank === death.rank);

/**
 * The root cause. A rank that hangs, or is killed without a word, explains the broken connections that the others then
 * complain of; else it is the earliest error event; else torchrun's record; else an exit code.
 */
export const failureOf = (remains: Remains): PosetwinError => {
  const told = remains.errors.toSorted((a, b) => a.time - b.time);
  const hung = told.find(({ code }) => code === 'timeout');
  if (hung !== undefined) return fromTimeout(remains, hung);
  const deaths = findDeaths(remains);
  const mute = deaths.find(death => isMute(death, remains.errors));
  if (mute !== undefined) return fromDeath(remains, mute);
  const [first] = told;
  if (first !== undefined) return fromEvent(remains, first);
  const recorded = fromErrorFile(remains);
  if (recorded !== null) return recorded;
  const [death] = deaths;
  return death === undefined ? fromLauncher(remains) : fromDeath(remains, death);
};

/** True when nothing but our own SIGTERM ended it: it came before the worker could listen. */
export const endedBySigterm = (remains: Remains): boolean => {
  const deaths = findDeaths(remains);
  if (remains.errors.length > 0) return false;
  if (deaths.length > 0) return deaths.every(({ exit_code }) => exit_code === -constants.signals.SIGTERM);
  return remains.signal === 'SIGTERM' || /SignalException|srun: forcing job termination/.test(readText(remains.log));
};

/** How often the kernel has killed for lack of memory; 0 where it does not say. */
export const countMemoryKills = (): number => Number(/^oom_kill (\d+)$/m.exec(readText('/proc/vmstat'))?.[1] ?? 0);
