import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { diagnose, loadExperiment } from '../../../orchestrator/config/load.ts';
import { experimentOf, faultsOf, load, makeWorkspace, type Workspace } from './workspace.ts';

let workspace: Workspace;
let file: string;
beforeEach(() => {
  workspace = makeWorkspace();
  file = workspace.write({ 'x.yaml': 'name: x\ndataset: mini-small\nschedule:\n  config: linear\n  num_steps: 10\n' });
});
afterEach(() => workspace.remove());

describe('--set', () => {
  it('gives numbers, texts, truth values and lists as YAML does', () => {
    const experiment = experimentOf(
      file,
      'train.learning_rate=1e-3',
      'description="b"',
      'convergence.early_stop=false',
      'method.normalization_bias=[0.1, 0]',
      'figures.prompt=a man, bowing',
    );
    expect(experiment).toMatchObject({
      train: { learning_rate: 0.001 },
      description: 'b',
      convergence: { early_stop: false },
      method: { normalization_bias: [0.1, 0] },
      figures: { prompt: 'a man, bowing' },
    });
  });

  it('reaches items of a list by their index', () => {
    expect(experimentOf(file, 'dataset.sources.0.weight=2').dataset.sources[0]).toMatchObject({
      kind: 'mini',
      weight: 2,
    });
  });

  it('takes the last of several for one path', () => {
    expect(experimentOf(file, 'seed=1', 'seed=2').seed).toBe(2);
  });

  it.each(['schedule=scaled-linear', 'schedule.config=scaled-linear'])('chooses a group: %s', flag => {
    expect(experimentOf(file, flag, 'schedule.eps=1e-6').schedule).toMatchObject({
      kind: 'scaled_linear',
      num_steps: 50,
    });
  });

  it('replaces a mapping that is given as a whole', () => {
    expect(experimentOf(file, 'schedule={kind: list, values: [0.5]}').schedule).toMatchObject({ values: [0.5] });
  });

  it.each([
    ['train.lr=1', 'unknown_key 1:7'],
    ['train.learning_rate=fast', 'wrong_type 1:21'],
    ['train.learning_rate=', 'wrong_type 1:7'],
    ['=1', 'usage 1:1'],
    ['train..x=1', 'usage 1:1'],
    ['dataset.sources.first.weight=1', 'unknown_key 1:17'],
    ['dataset.num_images=3', 'refused_combination 1:20'],
    ['seed=[1', 'yaml_syntax 1:8'],
    ['constructor.config=1', 'unknown_key 1:1'],
  ])('marks what is wrong in the flag itself: %s', (flag, fault) => {
    expect(faultsOf(file, flag)).toEqual([fault]);
  });

  it('changes nothing of the experiment when a path leads through an object prototype', () => {
    expect(faultsOf(file, '__proto__.polluted=1')).toEqual(['unknown_key 1:1']);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });
});

describe('an origin', () => {
  it('tells default, file and flag apart, for every leaf', () => {
    const { origins } = load(file, 'seed=1', 'dataset.sources.0.weight=2');
    expect(origins.seed).toEqual({ kind: 'flag', text: 'seed=1' });
    expect(origins['dataset.sources.0.weight']).toEqual({ kind: 'flag', text: 'dataset.sources.0.weight=2' });
    expect(origins['dataset.sources.0.kind']).toMatchObject({ kind: 'file', line: 3, column: 11 });
    expect(origins['schedule.num_steps']).toEqual({ kind: 'file', file, line: 5, column: 14 });
    expect(origins['schedule.beta_start']).toEqual({ kind: 'default' });
    expect(origins['method.normalization_bias.1']).toEqual({ kind: 'default' });
  });
});

describe('diagnose', () => {
  it('marks a written value, a value from a flag, and the nearest key around a default', () => {
    const loaded = load(file, 'method.q=per-step');
    const at = (path: string) => diagnose(loaded, { code: 'singular_schedule', message: 'm', path });
    expect(at('schedule.num_steps')).toMatchObject({ file, line: 5, column: 14, path: 'schedule.num_steps' });
    expect(at('schedule.singular')).toMatchObject({ file, line: 3, column: 1 });
    expect(at('method.q')).toMatchObject({ file: '--set', line: 1, column: 10 });
    expect(at('train.learning_rate')).toMatchObject({ file, line: 1, column: 1 });
  });
});

describe('a file that cannot be read', () => {
  it('is a missing_file and no exception', () => {
    const result = loadExperiment(`${file}.nowhere`, { set: [] });
    expect(result).toMatchObject({ ok: false, diagnostics: [{ code: 'missing_file', line: 1, column: 1 }] });
  });
});
