import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failureOf, type Remains, type WorkerError } from '../../../orchestrator/processes/worker-failure.ts';

let log_dir: string;
let log: string;

beforeEach(() => {
  log_dir = mkdtempSync(join(tmpdir(), 'posetwin-failure-'));
  log = join(log_dir, 'worker.log');
});
afterEach(() => rmSync(log_dir, { recursive: true }));

// As torch 2.13 prints it.
const report = (rank: number, exitcode: number): string =>
  `[0]:\n  time      : 2026-01-01_00:00:00\n  host      : h\n  rank      : ${rank} (local_rank: ${rank})\n  exitcode  : ${exitcode} (pid: 7)\n`;

const error = (rank: number, time: number): WorkerError => {
  const text = { message: `of rank ${rank}`, hint: null, traceback: 'Traceback' };
  return { type: 'error', time, rank, code: 'worker_failed', ...text };
};

const remains = (extra: Partial<Remains>): Remains => {
  const end = { exit_code: 1, signal: null, memory_ran_out: false };
  return { ...end, ranks: 2, errors: [], log, log_dir, ...extra };
};

describe('failureOf', () => {
  it('takes the earliest error event for the root cause, in whatever order they came', () => {
    writeFileSync(log, report(0, 1) + report(1, 1));
    expect(failureOf(remains({ errors: [error(0, 2), error(1, 1)] })).message).toBe('rank 1: of rank 1');
  });

  it('takes a rank killed without a word for the cause of the errors of others', () => {
    writeFileSync(log, report(0, 1) + report(1, -9));
    const failure = failureOf(remains({ errors: [error(0, 1)] }));
    expect(failure).toMatchObject({ code: 'worker_died', message: expect.stringMatching(/rank 1.*SIGKILL/) });
  });

  it('takes a rank that hangs for the cause, though it was killed after it told so', () => {
    writeFileSync(log, report(1, -9));
    const hung = { ...error(1, 2), code: 'timeout', message: 'got no further' };
    const failure = { code: 'timeout', class: 'timeout', message: 'rank 1: got no further' };
    expect(failureOf(remains({ errors: [error(0, 1), hung] }))).toMatchObject(failure);
  });

  it('names the rank from which there was no word when the others waited in vain', () => {
    writeFileSync(log, '');
    const waited = { ...error(0, 1), code: 'timeout', message: 'waited' };
    expect(failureOf(remains({ errors: [waited] })).message).toBe('rank 0: waited; no word from rank 1');
  });

  it('names a SIGKILL out_of_memory when the kernel killed for lack of memory meanwhile', () => {
    writeFileSync(log, '');
    const killed = { ranks: 1, exit_code: null, signal: 'SIGKILL', memory_ran_out: true } as const;
    expect(failureOf(remains(killed)).code).toBe('out_of_memory');
  });

  it("falls back on torchrun's record of the first failing rank", () => {
    writeFileSync(log, report(1, 1));
    const message = { message: 'ValueError: synthetic', extraInfo: { py_callstack: 'Traceback', timestamp: '1' } };
    writeFileSync(join(log_dir, 'error.json'), JSON.stringify({ message }));
    const failure = { code: 'worker_failed', message: 'ValueError: synthetic', details: { traceback: 'Traceback' } };
    expect(failureOf(remains({}))).toMatchObject(failure);
  });

  it('names the exit code when there is nothing else', () => {
    writeFileSync(log, report(1, 42));
    expect(failureOf(remains({}))).toMatchObject({ code: 'worker_died', message: expect.stringMatching(/rank 1.*42/) });
  });
});
