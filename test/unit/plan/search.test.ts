import { describe, expect, it } from 'vitest';
import { Sweep } from '../../../orchestrator/contracts/sweep.ts';
import { fromValues, toAxes, toValues } from '../../../orchestrator/plan/search.ts';

const { axes } = Sweep.parse({
  axes: {
    'train.learning_rate': { low: 1e-5, high: 1e-2, log: true },
    'schedule.num_steps': { low: 4, high: 50, int: true },
    schedule: ['linear', { kind: 'scaled_linear', num_steps: 8 }],
  },
});

describe('a trial of a search', () => {
  it('is a number on each axis: that of a range itself, of a list the place in it', () => {
    const assignment = {
      'train.learning_rate': 3e-4,
      'schedule.num_steps': 20,
      schedule: { num_steps: 8, kind: 'scaled_linear' },
    };
    const values = { 'train.learning_rate': 3e-4, 'schedule.num_steps': 20, schedule: 1 };
    expect(toValues(axes, assignment)).toEqual(values);
    expect(fromValues(axes, values)).toEqual(assignment);
  });

  it('is none where it has other paths, or a value that its axis has not', () => {
    const whole = { 'train.learning_rate': 3e-4, 'schedule.num_steps': 20, schedule: 'linear' };
    expect(toValues(axes, whole)).toBeDefined();
    expect(toValues(axes, { ...whole, seed: 1 })).toBeUndefined();
    expect(toValues(axes, { ...whole, schedule: 'cosine' })).toBeUndefined();
    expect(toValues(axes, { schedule: 'linear' })).toBeUndefined();
  });
});

describe('the axes of a search', () => {
  it('are told with what they allow', () => {
    expect(toAxes(axes)).toEqual([
      { path: 'train.learning_rate', low: 1e-5, high: 1e-2, log: true, kind: 'float', choices: 0 },
      { path: 'schedule.num_steps', low: 4, high: 50, log: false, kind: 'int', choices: 0 },
      { path: 'schedule', low: 0, high: 0, log: false, kind: 'float', choices: 2 },
    ]);
  });
});
