import { describe, expect, it } from 'vitest';
import { labelOf } from '../../../../orchestrator/config/assignment-text.ts';
import { axesOf, cellsOf, pairsOfAxes } from '../../../../orchestrator/report/sweep/axes.ts';
import { describeSetting, settingName } from '../../../../orchestrator/report/sweep/labels.ts';
import { record } from './records.ts';

describe('labels', () => {
  it('name a config with its changes, and a lone text by itself', () => {
    const schedule = { config: 'patent-beta', num_steps: 10 };
    expect([labelOf('linear'), labelOf(1e-4), labelOf(schedule), labelOf([1, 2])]).toEqual([
      ...['linear', '0.0001', 'patent-beta(num_steps=10)', '[1,2]'],
    ]);
    expect([labelOf({ kind: 'linear', spacing: 'leading' }), labelOf({ q: { a: 1 } }), labelOf({})]).toEqual([
      ...['linear(spacing=leading)', '(q=(a=1))', 'defaults'],
    ]);
    expect(describeSetting({ schedule, 'method.q': 30 })).toBe('schedule=patent-beta(num_steps=10) method.q=30');
    expect([settingName({ schedule }), settingName({ 'method.q': 30 }), settingName({})]).toEqual([
      ...['patent-beta(num_steps=10)', 'method.q=30', 'the experiment as it is'],
    ]);
  });
});

describe('axes', () => {
  const trials = [
    { schedule: 'linear', 'train.learning_rate': 3e-4, seed: 1 },
    { schedule: 'linear', 'train.learning_rate': 1e-4, seed: 1 },
    { schedule: 'linear', 'train.learning_rate': 1e-4, seed: 2 },
    { schedule: 'patent-beta', 'train.learning_rate': 1e-4, seed: 1 },
    { 'method.q': 30, seed: 1 },
  ].map((assignment, index) => record({ assignment, seed: assignment.seed, train_seconds: index }));

  it('are what differs, numbers ascending; the seed is none, nor is what has one value', () => {
    expect(axesOf(trials)).toEqual([
      { path: 'schedule', labels: ['linear', 'patent-beta'] },
      { path: 'train.learning_rate', labels: ['0.0001', '0.0003'] },
    ]);
  });

  it('meet in cells, each the mean over what else differs', () => {
    const [pair] = pairsOfAxes(axesOf(trials));
    if (pair === undefined) throw new Error('no pair');
    // Of linear at 1e-4 there are two seeds, with 1 and 2; of patent-beta at 3e-4 there is no trial.
    expect(cellsOf(trials, pair, ({ train_seconds }) => train_seconds)).toEqual([
      { x: 'linear', y: '0.0001', value: 1.5 },
      { x: 'linear', y: '0.0003', value: 0 },
      { x: 'patent-beta', y: '0.0001', value: 3 },
    ]);
    expect(cellsOf(trials, pair, () => null)).toEqual([]);
  });
});
