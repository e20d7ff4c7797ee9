import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeAssignment } from '../../../orchestrator/config/assignment-text.ts';
import { type LoadedSweep, loadSweep } from '../../../orchestrator/config/sweep.ts';
import { makeWorkspace, type Workspace } from '../config/workspace.ts';

let workspace: Workspace;
beforeEach(() => {
  workspace = makeWorkspace();
});
afterEach(() => workspace.remove());

/** Lines 4 to 6 hold `strategy`, `max_trials` and `axes`; the axes' own come after them. */
const load = (axes: string, { strategy = 'bayes', max = '10', more = '' } = {}): LoadedSweep => {
  const text = `name: x
dataset: mini-small
sweep:
  strategy: ${strategy}
  max_trials: ${max}
  axes:
    ${axes}
${more}`;
  const loaded = loadSweep(workspace.write({ 'x.yaml': text }), { set: [], sweep: [] });
  if (loaded === undefined) throw new Error('no sweep');
  return loaded;
};
const faults = (axes: string, options = {}): string[] => {
  const loaded = load(axes, options);
  return loaded.ok ? [] : loaded.diagnostics.map(({ code, line, column }) => `${code} ${line}:${column}`);
};
const rate = 'train.learning_rate: {low: 1e-5, high: 1e-2, log: true}';
const searchIn = (axes: string) => {
  const loaded = load(axes);
  if (!loaded.ok || loaded.search === null) throw new Error(JSON.stringify(loaded));
  return loaded.search;
};

describe('a search', () => {
  it('has no trial before it has chosen one, and those that it has chosen', () => {
    const search = searchIn(`${rate}\n    seed: [1, 2]`);
    expect(search).toMatchObject({ name: 'x', max_trials: 10, axes: { seed: [1, 2] } });
    expect(search.withTrials([])).toMatchObject({ ok: true, trials: [] });
    const loaded = search.withTrials([{ 'train.learning_rate': 2.5e-4, seed: 2 }]);
    if (!loaded.ok) throw new Error('refused');
    expect(loaded.trials.map(({ assignment }) => describeAssignment(assignment))).toEqual([
      'train.learning_rate=0.00025 seed=2',
    ]);
    expect(loaded.trials[0]?.result).toMatchObject({ experiment: { seed: 2, train: { learning_rate: 2.5e-4 } } });
  });

  it('leaves out what was chosen on other axes, or where they no longer are', () => {
    const search = searchIn(`${rate}\n    seed: [1, 2]`);
    const old = [
      { 'train.learning_rate': 2.5e-4 },
      { 'train.learning_rate': 2.5e-4, seed: 3 },
      { 'train.learning_rate': 0.1, seed: 1 },
    ];
    expect(search.withTrials(old)).toMatchObject({ trials: [] });
    expect(searchIn('method.q: {low: 1, high: 9, int: true}').withTrials([{ 'method.q': 2.5 }])).toMatchObject({
      trials: [],
    });
  });

  it('is refused where the experiment is not valid at the end of an axis, at its line', () => {
    expect(faults('train.learning_rate: {low: 0.1, high: 2}')).toEqual(['out_of_range 7:5']);
    expect(faults('train.max_train_steps: {low: 0, high: 9, int: true}')).toEqual(['out_of_range 7:5']);
    expect(faults(`${rate}\n    schedule: [linear, nosuch]`)).toEqual(['unknown_config 8:24']);
  });

  it('is refused without a number of trials, without an axis, and with exclude', () => {
    expect(faults(rate, { max: 'null' })).toEqual(['missing_key 4:13']);
    expect(faults('{}')).toEqual(['refused_combination 4:13']);
    expect(faults(rate, { more: '  exclude: [{train.learning_rate: 1e-3}]\n' })).toContain('refused_combination 4:13');
  });

  it.each([
    ['{low: 2, high: 1}', 'refused_combination 7:5'],
    ['{low: 0, high: 1, log: true}', 'refused_combination 7:5'],
    ['{low: 1.5, high: 3, int: true}', 'refused_combination 7:5'],
    ['{low: 1}', 'missing_key 7:5'],
    ['{low: 1, high: 2, base: 10}', 'unknown_key 7:33'],
    ['{low: 1, high: x}', 'wrong_type 7:30'],
    ['7', 'wrong_type 7:15'],
  ])('is refused with the range %s', (range, fault) => {
    expect(faults(`method.q: ${range}`)).toEqual([fault]);
  });
});

describe('a range', () => {
  it('is nothing for another strategy', () => {
    for (const strategy of ['grid', 'list', 'random'])
      expect(faults(rate, { strategy })).toEqual(['refused_combination 7:5']);
  });
});
