import { describe, expect, it } from 'vitest';
import { outcomeOf, shareOf } from '../../../orchestrator/executors/local-trials.ts';

describe('an exit code', () => {
  it('is done, interrupted or failed; not converged is done', () => {
    expect([0, 4].map(code => outcomeOf(code, false))).toEqual([{ state: 'done' }, { state: 'done' }]);
    // posetwin's own 130; 128 + SIGINT, SIGTERM, SIGHUP of a process that was not yet listening.
    for (const code of [130, 143, 129]) expect(outcomeOf(code, false)).toEqual({ state: 'preempted' });
    for (const code of [1, 2, 3, 137, 139])
      expect(outcomeOf(code, false)).toEqual({ state: 'failed', exit_code: code });
  });

  it('5 is a trial that was cut, also while it is told to stop', () => {
    for (const stopped of [false, true]) expect(outcomeOf(5, stopped)).toEqual({ state: 'cut' });
  });

  it('of a trial that was told to stop is cancelled, unless it had an end of its own', () => {
    for (const code of [130, 137]) expect(outcomeOf(code, true)).toEqual({ state: 'cancelled' });
    expect(outcomeOf(0, true)).toEqual({ state: 'done' });
    expect(outcomeOf(3, true)).toEqual({ state: 'failed', exit_code: 3 });
  });
});

describe('trials side by side', () => {
  const four = ['0', '1', '2', '3'];
  const devicesOf = (slots: number, devices: string[], nproc: number) =>
    Array.from(
      { length: slots },
      (_, slot) => shareOf(slot, { slots, cores: 16, devices }, nproc).CUDA_VISIBLE_DEVICES,
    );

  it('have devices of their own while these last', () => {
    expect(devicesOf(4, four, 1)).toEqual(['0', '1', '2', '3']);
    expect(devicesOf(2, four, 2)).toEqual(['0,1', '2,3']);
    expect(devicesOf(3, ['5', '7'], 1)).toEqual(['5', '7', '5']);
    expect(devicesOf(2, four, 3)).toEqual(['0,1,2', '0,1,2']);
    expect(devicesOf(2, [], 1)).toEqual([undefined, undefined]);
  });

  it('share the cores; one alone has all there is', () => {
    expect(shareOf(0, { slots: 4, cores: 16, devices: [] }, 2)).toEqual({ OMP_NUM_THREADS: '2' });
    expect(shareOf(0, { slots: 8, cores: 2, devices: [] }, 1)).toEqual({ OMP_NUM_THREADS: '1' });
    expect(shareOf(0, { slots: 1, cores: 16, devices: four }, 1)).toEqual({});
  });
});
