import { describe, expect, it } from 'vitest';
import { type ErrorCode, errorClasses } from '../../../orchestrator/errors.ts';
import { backoffMs, judgeAttempt } from '../../../orchestrator/executors/retries.ts';

const failed = (code: string | null, failures: number, exit_code = 3) =>
  judgeAttempt({ state: 'failed', exit_code }, code, failures);

describe('an attempt', () => {
  it('that was interrupted goes on, however often; one that was cancelled stops the sweep', () => {
    expect(judgeAttempt({ state: 'preempted' }, 'preempted', 0)).toBe('retry');
    expect(judgeAttempt({ state: 'preempted' }, 'cancelled', 99)).toBe('retry');
    expect(judgeAttempt({ state: 'cancelled' }, 'cancelled', 0)).toBe('stopped');
    expect(judgeAttempt({ state: 'done' }, null, 2)).toBe('done');
  });

  it.each(['out_of_memory', 'singular_schedule', 'no_person', 'missing_weights', 'loss_mismatch'])(
    'that ended with %s is not made again',
    code => expect(failed(code, 1)).toBe('failed'),
  );

  it.each(['worker_died', 'worker_failed', 'timeout', 'bridge_died', 'no such code', null])(
    'that ended with %s is made again twice',
    code => expect([1, 2, 3].map(failures => failed(code, failures))).toEqual(['retry', 'retry', 'failed']),
  );

  it('that ended with exit code 2 was asked for something wrong', () => {
    expect(failed(null, 1, 2)).toBe('failed');
  });

  it('that diverged has a result', () => {
    const codes = Object.keys(errorClasses).filter(code => errorClasses[code as ErrorCode] === 'diverged');
    expect(codes).toEqual(['diverged', 'dead_gradient']);
    for (const code of codes) expect(failed(code, 1)).toBe('diverged');
  });

  it('that was cut has a result, whatever code came with it', () => {
    for (const code of ['cut_short', null]) expect(judgeAttempt({ state: 'cut' }, code, 0)).toBe('cut');
  });

  it('waits double from failure to failure, and not at all after an interruption', () => {
    expect([0, 1, 2, 3].map(failures => backoffMs(failures, 5_000))).toEqual([0, 5_000, 10_000, 20_000]);
  });
});
