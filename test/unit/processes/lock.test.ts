import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isLocked, withLock } from '../../../orchestrator/processes/lock.ts';

let folder: string;
let lock: string;
const code = 'setup_locked';
// Above what Linux gives out (4,194,304 at most).
const deadPid = 99_999_999;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'posetwin-lock-'));
  lock = join(folder, 'lock');
});
afterEach(() => rmSync(folder, { recursive: true }));

const leaveLock = (owner: { pid: number; host: string; started: string | null }): void => {
  mkdirSync(lock);
  writeFileSync(join(lock, 'owner.json'), JSON.stringify(owner));
};

describe('isLocked', () => {
  it('is true while a process that lives holds the lock', async () => {
    expect(await isLocked(lock)).toBe(false);
    await withLock(lock, { code }, async () => expect(await isLocked(lock)).toBe(true));
    expect(await isLocked(lock)).toBe(false);
    leaveLock({ pid: deadPid, host: hostname(), started: null });
    expect(await isLocked(lock)).toBe(false);
    // Whoever looks takes nothing.
    expect(existsSync(lock)).toBe(true);
  });
});

describe('withLock', () => {
  it('lets one in at a time, and tells the others who holds it', async () => {
    let inside = 0;
    const waitedFor: (number | undefined)[] = [];
    const enter = (): Promise<void> =>
      withLock(lock, { code, onWait: owner => waitedFor.push(owner?.pid) }, async () => {
        inside += 1;
        expect(inside).toBe(1);
        await new Promise(resolve => setTimeout(resolve, 10));
        inside -= 1;
      });
    await Promise.all([enter(), enter(), enter()]);
    expect(waitedFor).toHaveLength(2);
    expect(existsSync(lock)).toBe(false);
  });

  it('is free again after an error', async () => {
    await expect(withLock(lock, { code }, () => Promise.reject(new RangeError()))).rejects.toThrow(RangeError);
    expect(await withLock(lock, { code }, async () => 1)).toBe(1);
  });

  it('takes the lock of a dead process, one of several at a time', async () => {
    leaveLock({ pid: deadPid, host: hostname(), started: null });
    let inside = 0;
    const enter = (): Promise<void> =>
      withLock(lock, { code }, async () => {
        inside += 1;
        expect(inside).toBe(1);
        await new Promise(resolve => setTimeout(resolve, 10));
        inside -= 1;
      });
    await Promise.all([enter(), enter(), enter()]);
  });

  it.runIf(process.platform === 'linux')('takes the lock of a dead process whose number is in use again', async () => {
    leaveLock({ pid: process.pid, host: hostname(), started: '1' });
    expect(await withLock(lock, { code }, async () => 1)).toBe(1);
  });

  it('takes an old lock that nobody signed', async () => {
    mkdirSync(lock);
    utimesSync(lock, 1, 1);
    expect(await withLock(lock, { code }, async () => 1)).toBe(1);
  });

  it('gives up with the code it was given when a living process, or one elsewhere, keeps it', async () => {
    leaveLock({ pid: deadPid, host: 'elsewhere', started: null });
    const waiting = withLock(lock, { code, wait_ms: 0 }, async () => 1);
    await expect(waiting).rejects.toMatchObject({ code, hint: expect.stringContaining(lock) });
  });

  it('takes the lock of a holder elsewhere that has been silent for minutes, not of one that has shown itself', async () => {
    leaveLock({ pid: deadPid, host: 'elsewhere', started: null });
    const minutesAgo = Date.now() / 1000 - 600;
    utimesSync(join(lock, 'owner.json'), minutesAgo, minutesAgo);
    writeFileSync(join(lock, 'beat'), '');
    await expect(withLock(lock, { code, wait_ms: 0 }, async () => 1)).rejects.toMatchObject({ code });
    utimesSync(join(lock, 'beat'), minutesAgo, minutesAgo);
    expect(await withLock(lock, { code }, async () => existsSync(join(lock, 'beat')))).toBe(true);
  });

  it('stops waiting with cancelled', async () => {
    leaveLock({ pid: deadPid, host: 'elsewhere', started: null });
    const waiting = withLock(lock, { code, signal: AbortSignal.abort() }, async () => 1);
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
  });
});
