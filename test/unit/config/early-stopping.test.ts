import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadSweep } from '../../../orchestrator/config/sweep.ts';
import { sweepDiagnostics } from '../../../orchestrator/config/sweep-diagnostics.ts';
import { makeWorkspace, type Workspace } from './workspace.ts';

let workspace: Workspace;
beforeEach(() => {
  workspace = makeWorkspace();
});
afterEach(() => workspace.remove());

/** `code line:column` of each fault. Line 3 holds `train`, line 4 `convergence`, line 7 `early_stopping`. */
const faults = (rule: string, { train = '{}', axes = '{seed: [1, 2, 3]}', convergence = '{}' } = {}): string[] => {
  const text = `name: x
dataset: mini-small
train: ${train}
convergence: ${convergence}
sweep:
  axes: ${axes}
  early_stopping: ${rule}
`;
  const file = workspace.write({ 'x.yaml': text });
  const loaded = loadSweep(file, { set: [], sweep: [] });
  const found = loaded?.ok ? sweepDiagnostics(loaded.trials, file) : (loaded?.diagnostics ?? []);
  return found.map(({ code, line, column }) => `${code} ${line}:${column}`);
};
const median = '{rule: median, min_trials: 2}';
const validated = (steps: number, max = 200) => `{validation: {steps: ${steps}}, max_train_steps: ${max}}`;

describe('early stopping', () => {
  it('is taken where validations and decisions fall on the same steps', () => {
    for (const steps of [10, 25, 50, 100]) expect(faults(median, { train: validated(steps) })).toEqual([]);
    const halving = '{rule: successive_halving, min_steps: 50, eta: 2}';
    expect(faults(halving, { train: validated(25) })).toEqual([]);
  });

  it('is refused without a validation, at its own line', () => {
    expect(faults(median)).toEqual(['refused_combination 7:3']);
  });

  it('is refused where validations and decisions fall on different steps', () => {
    expect(faults(median, { train: validated(30) })).toEqual(['refused_combination 3:29']);
    expect(faults(median, { train: validated(50), convergence: '{decision_steps: 30}' })).toHaveLength(1);
  });

  it('is refused where the first rung has no validation to decide by', () => {
    expect(faults('{rule: successive_halving, min_steps: 75}', { train: validated(25) })).toEqual([
      'refused_combination 7:57',
    ]);
  });

  it('is refused where training ends before the first decision', () => {
    expect(faults(median, { train: validated(200) })).toEqual(['refused_combination 3:52']);
    expect(faults('{rule: median, min_trials: 2, min_steps: 151}', { train: validated(50) })).toEqual([
      'refused_combination 7:60',
    ]);
  });

  it('is refused where a single trial could not be judged, at the value that is to blame', () => {
    const axes = '{train.max_train_steps: [50, 300], seed: [1, 2]}';
    expect(faults(median, { train: validated(50), axes })).toEqual(['refused_combination 6:34']);
  });

  it('is refused where no trial can be compared with as many others as it asks for', () => {
    const train = validated(50);
    expect(faults('{rule: median}', { train })).toEqual(['refused_combination 7:3']);
    expect(faults('{rule: median, min_trials: 3}', { train })).toEqual(['refused_combination 7:46']);
    expect(faults('{rule: median, min_trials: 2, within: [seed]}', { train })).toEqual(['refused_combination 7:46']);
    const axes = '{seed: [1, 2], train.learning_rate: [1e-4, 2e-4, 3e-4]}';
    expect(faults('{rule: median, min_trials: 2, within: [seed]}', { train, axes })).toEqual([]);
  });

  it('compares within axes of the sweep alone', () => {
    expect(faults('{rule: median, within: [sed]}', { train: validated(50) })).toEqual(['unknown_value 7:43']);
  });

  it('has two rules, and no default for the first rung', () => {
    const train = validated(50);
    expect(faults('{rule: hyperband}', { train })).toEqual(['unknown_value 7:26']);
    expect(faults('{rule: successive_halving}', { train })).toEqual(['missing_key 7:3']);
    expect(faults('{rule: median, eta: 3}', { train })).toEqual(['unknown_key 7:34']);
  });
});
