import { writeFileSync } from 'node:fs';
import { mkdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { type ErrorCode, PosetwinError } from '../errors.ts';
import { isAlive, startTime } from './process-table.ts';

export const LockOwner = z.object({ pid: z.int(), host: z.string(), started: z.string().nullable() });
export type LockOwner = z.output<typeof LockOwner>;

export interface LockOptions {
  /** the code of the error when the lock is not free after `wait_ms` */
  code: ErrorCode;
  wait_ms?: number;
  /** called once when another process holds the lock; null when it has not yet written who it is */
  onWait?: (owner: LockOwner | null) => void;
  signal?: AbortSignal;
}

const POLL_MS = 200;
/** Waits of days over a network's file system should not be felt by it. */
const SLOWEST_POLL_MS = 2_000;
/** A holder shows so often that it lives, to those on other machines, who cannot ask for its process. */
const BEAT_MS = 15_000;
/** After so much silence a holder on another machine counts as dead: far beyond what a file system's cache hides. */
const SILENCE_MS = 300_000;
/** Between making a lock and writing who holds it only a crash can take this long. */
const UNSIGNED_MS = 10_000;
const HOUR_MS = 3_600_000;

const isCode = (error: unknown, code: string): boolean => (error as NodeJS.ErrnoException).code === code;

const tryMkdir = async (dir: string): Promise<boolean> => {
  try {
    await mkdir(dir);
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST') || isCode(error, 'ENOENT')) return false;
    throw error;
  }
};

/** How another process finds out whether this one still lives. */
export const thisProcess = (): LockOwner => ({
  pid: process.pid,
  host: hostname(),
  started: startTime(process.pid),
});

/** False when the process is surely gone; of one on another machine nothing is known from here. */
export const mayBeAlive = ({ pid, host, started }: LockOwner): boolean =>
  host !== hostname() || (isAlive(pid) && startTime(pid) === started);

const ownerFile = (dir: string): string => join(dir, 'owner.json');

const sign = async (dir: string): Promise<void> => {
  const owner = thisProcess();
  const temporary = join(dir, `owner-${process.pid}.tmp`);
  await writeFile(temporary, JSON.stringify(owner));
  await rename(temporary, ownerFile(dir));
};

const readOwner = async (dir: string): Promise<LockOwner | null> => {
  try {
    return LockOwner.parse(JSON.parse(await readFile(ownerFile(dir), 'utf8')));
  } catch {
    return null;
  }
};

const isOwn = (owner: LockOwner | null): boolean => owner?.pid === process.pid && owner.host === hostname();

const ageMs = async (path: string): Promise<number> => {
  const found = await stat(path).catch(() => null);
  return found === null ? 0 : Date.now() - found.mtimeMs;
};

const beatFile = (dir: string): string => join(dir, 'beat');

const startBeating = (dir: string): (() => void) => {
  const beat = (): void => {
    try {
      writeFileSync(beatFile(dir), String(process.pid));
    } catch {
      // Taken over meanwhile, or the disk is full: silence is then what others should see.
    }
  };
  beat();
  const timer = setInterval(beat, BEAT_MS);
  timer.unref();
  return () => clearInterval(timer);
};

/** The time by the clock that stamps the files beside `dir`, which need not be this machine's. */
const nowThere = async (dir: string): Promise<number> => {
  const probe = `${dir}.probe-${hostname()}-${process.pid}`;
  try {
    await writeFile(probe, '');
    return (await stat(probe)).mtimeMs;
  } finally {
    await rm(probe, { force: true });
  }
};

const lastSign = async (dir: string): Promise<number | undefined> => {
  const found = await Promise.all([beatFile(dir), ownerFile(dir)].map(file => stat(file).catch(() => null)));
  const times = found.flatMap(stats => stats?.mtimeMs ?? []);
  return times.length === 0 ? undefined : Math.max(...times);
};

/** Whether a holder on another machine has been silent for too long. */
const isSilent = async (dir: string): Promise<boolean> => {
  const last = await lastSign(dir);
  // A clock that is behind costs patience; one that is ahead would cost the holder its lock: so the second look.
  if (last === undefined || Date.now() - last <= SILENCE_MS) return false;
  return (await nowThere(dir).catch(() => last)) - last > SILENCE_MS;
};

const isStale = async (dir: string): Promise<boolean> => {
  const owner = await readOwner(dir);
  if (owner === null) return (await ageMs(dir)) > UNSIGNED_MS;
  if (owner.host !== hostname()) return isSilent(dir);
  return !mayBeAlive(owner);
};

/** Whether a process holds the lock folder `dir`, as far as can be told; it may let go of it at any time. */
export const isLocked = async (dir: string): Promise<boolean> => {
  const isThere = (await stat(dir).catch(() => null)) !== null;
  return isThere && !(await isStale(dir));
};

/** Differs when the lock was released and made again, or taken over. */
const identityOf = async (dir: string): Promise<string> =>
  JSON.stringify([(await stat(dir).catch(() => null))?.ino, await readOwner(dir)]);

/** Takes a dead owner's lock in place: of several that see it is dead, one alone can make the folder inside it. */
const tryTakeOver = async (dir: string): Promise<boolean> => {
  const mark = join(dir, 'takeover');
  if ((await ageMs(mark)) > UNSIGNED_MS) await rmdir(mark).catch(() => undefined);
  const seen = await identityOf(dir);
  if (!(await isStale(dir)) || !(await tryMkdir(mark))) return false;
  try {
    if ((await identityOf(dir)) !== seen) return false;
    await sign(dir);
    return true;
  } finally {
    await rmdir(mark).catch(() => undefined);
  }
};

const tryAcquire = async (dir: string): Promise<boolean> => {
  if (!(await tryMkdir(dir))) return tryTakeOver(dir);
  await sign(dir);
  return true;
};

const acquire = async (dir: string, options: LockOptions): Promise<void> => {
  const deadline = Date.now() + (options.wait_ms ?? HOUR_MS);
  for (let waits = 0; !(await tryAcquire(dir)); waits += 1) {
    if (waits === 0) options.onWait?.(await readOwner(dir));
    if (options.signal?.aborted) throw new PosetwinError('cancelled', `cancelled while waiting for ${dir}`);
    if (Date.now() > deadline) {
      const hint = `if no other posetwin command is running, delete ${dir}`;
      throw new PosetwinError(options.code, `${dir} is held by another process`, { hint, file: dir });
    }
    await delay(Math.min(POLL_MS * 1.1 ** waits, SLOWEST_POLL_MS));
  }
};

/**
 * Runs `run` while this process alone holds the lock folder `dir`; waits for another holder, and takes the lock of a
 * process that is dead, or on another machine and silent for minutes. The folder above `dir` must exist.
 */
export const withLock = async <T>(dir: string, options: LockOptions, run: () => Promise<T>): Promise<T> => {
  await acquire(dir, options);
  const stopBeating = startBeating(dir);
  try {
    return await run();
  } finally {
    stopBeating();
    // Whoever was taken for dead and is not leaves the lock to its new holder.
    if (isOwn(await readOwner(dir))) await rm(dir, { recursive: true, force: true });
  }
};
