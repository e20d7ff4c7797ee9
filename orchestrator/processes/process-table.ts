import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { execaSync } from 'execa';

/** The environment variable by which all processes of one launch are found, whatever session or group they are in. */
export const RUN_TAG = 'POSETWIN_RUN_TAG';

export interface ProcessEntry {
  pid: number;
  ppid: number;
}

const readProc = (pid: number, file: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return ''; // gone meanwhile, or another user's
  }
};

/** The fields of /proc/<pid>/stat after the name, which may hold spaces and brackets itself: state, ppid, … */
const statFields = (pid: number): string[] => {
  const text = readProc(pid, 'stat');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
};

const listFromProc = (entry: string): ProcessEntry[] =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => readProc(pid, 'environ').split('\0').includes(entry))
    .map(pid => ({ pid, ppid: Number(statFields(pid)[1]) }));

const listFromPs = (entry: string): ProcessEntry[] =>
  execaSync('ps', ['axeww', '-o', 'pid=,ppid=,command='])
    .stdout.split('\n')
    .filter(line => line.includes(entry))
    .map(line => line.trim().split(/\s+/))
    .map(([pid, ppid]) => ({ pid: Number(pid), ppid: Number(ppid) }));

/** The living processes that were started with this tag in their environment. */
export const listTagged = (tag: string, variable = RUN_TAG): ProcessEntry[] =>
  (process.platform === 'linux' ? listFromProc : listFromPs)(`${variable}=${tag}`);

/** Sends a signal; a process that is already gone is no error. */
export const sendSignal = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
};

export const killTagged = (tag: string, variable = RUN_TAG): number => {
  const entries = listTagged(tag, variable);
  for (const { pid } of entries) sendSignal(pid, 'SIGKILL');
  return entries.length;
};

/** Kills what carries the tag until nothing does: one sweep can miss a process that is being started. */
export const killTaggedUntilNone = async (tag: string, variable = RUN_TAG): Promise<void> => {
  while (killTagged(tag, variable) > 0) await delay(20);
};

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return process.platform !== 'linux' || statFields(pid)[0] !== 'Z';
};

/** Tells a process from a later one of the same number; null where the system does not say. */
export const startTime = (pid: number): string | null =>
  process.platform === 'linux' ? (statFields(pid)[19] ?? null) : null;
