import { describe, expect, it } from 'vitest';
import { compareSweep, countOutcomes, troubles } from '../../../../orchestrator/report/sweep/comparison.ts';
import { numbersOf } from '../../../../orchestrator/report/sweep/numbers.ts';
import { isTrained, outcomeOf } from '../../../../orchestrator/report/sweep/record.ts';
import { failed, record } from './records.ts';

const plan = { name: 'x', file: '/x.yaml' };
const loss = record().loss;

describe('a trial', () => {
  it('has its loss beside its own ΔL and L*, and its adapters pair by pair', () => {
    // 0.03 of 0.02 and of 0.01; errors of 1, 2, 3 against 2, 4, 6.
    expect(numbersOf(record())).toMatchObject({
      num_pairs: 3,
      keypoint_error_px: 2,
      primary_keypoint_error_px: 4,
      keypoint_error_ratio: { mean: 0.5, low: 0.5, high: 0.5 },
      achieved_to_delta_l: 1.5,
      achieved_to_lower_bound: 3,
    });
    expect(numbersOf(failed('diverged'))).toMatchObject({ keypoint_error_px: null, achieved_to_delta_l: null });
  });

  it('is told by its outcome, also where it is done and was never trained', () => {
    expect(outcomeOf(record())).toBe('done');
    expect(outcomeOf(failed('dead_gradient'))).toBe('no gradient');
    expect(outcomeOf(failed('diverged'))).toBe('diverged');
    expect(outcomeOf(failed('out_of_memory'))).toBe('failed out_of_memory');
    expect(outcomeOf(record({ state: 'interrupted', code: 'cancelled' }))).toBe('interrupted');
    const refused = record({ loss: loss && { ...loss, refused: true } });
    expect([outcomeOf(refused), isTrained(refused)]).toEqual(['no gradient', false]);
    expect(outcomeOf(record({ loss: loss && { ...loss, plateau: 'diverged' } }))).toBe('diverged');
  });
});

describe('a compared sweep', () => {
  const trials = [
    failed('dead_gradient', { assignment: { schedule: 'patent-literal', seed: 0 } }),
    record({ assignment: { schedule: 'linear', seed: 0 } }),
    failed('out_of_memory', { assignment: { schedule: 'linear', seed: 1 }, seed: 1 }),
    record({ assignment: { schedule: 'gone', seed: 0 }, orphaned: true }),
  ];
  const compared = compareSweep(plan, trials, 'keypoint_error_px');

  it('keeps what could not be trained as a row of its own, after the ranked ones', () => {
    expect(compared.settings.map(({ assignment, ranked }) => [assignment.schedule, ranked !== null])).toEqual([
      ['linear', true],
      ['patent-literal', false],
    ]);
    expect(compared.settings.map(troubles)).toEqual(['seed 1: failed out_of_memory', 'no gradient']);
  });

  it('counts what the file asks for', () => {
    expect(countOutcomes(compared.trials)).toBe('1 no gradient, 1 done, 1 failed out_of_memory');
  });
});
