import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadExperiment } from '../../../orchestrator/config/load.ts';
import { experimentOf, faultsOf, load, makeWorkspace, type Workspace } from './workspace.ts';

let workspace: Workspace;
beforeEach(() => {
  workspace = makeWorkspace();
});
afterEach(() => workspace.remove());

describe('include', () => {
  it('merges mappings key by key, later files over earlier ones and the own keys over both', () => {
    const file = workspace.write({
      'x.yaml': 'name: x\ninclude: [a.yaml, parts/b.yaml]\ntrain: {max_train_steps: 3}\n',
      'a.yaml': 'train: {max_train_steps: 1, learning_rate: 0.1, lr_warmup_steps: 1}\n',
      'parts/b.yaml': 'train: {max_train_steps: 2, learning_rate: 0.2}\n',
    });
    expect(experimentOf(file).train).toMatchObject({ max_train_steps: 3, learning_rate: 0.2, lr_warmup_steps: 1 });
  });

  it('replaces lists as a whole', () => {
    const file = workspace.write({
      'x.yaml': 'name: x\ninclude: [a.yaml]\nmethod: {normalization_bias: [0.5, 0]}\n',
      'a.yaml': 'method: {normalization_bias: [0, 0.25]}\n',
    });
    expect(experimentOf(file).method.normalization_bias).toEqual([0.5, 0]);
  });

  it('finds files relative to the one that names them, and may meet one twice', () => {
    const file = workspace.write({
      'x.yaml': 'name: x\ninclude: [parts/a.yaml, parts/b.yaml]\n',
      'parts/a.yaml': 'include: [common.yaml]\n',
      'parts/b.yaml': 'include: [common.yaml]\n',
      'parts/common.yaml': 'seed: 7\n',
    });
    const { experiment, files } = load(file);
    expect(experiment.seed).toBe(7);
    expect(files).toEqual(
      ['x.yaml', 'parts/a.yaml', 'parts/common.yaml', 'parts/b.yaml'].map(f => join(workspace.folder, f)),
    );
  });

  it('shows the whole cycle', () => {
    const file = workspace.write({ 'x.yaml': 'name: x\ninclude: [y.yaml]\n', 'y.yaml': 'include: [x.yaml]\n' });
    const result = loadExperiment(file, { set: [] });
    expect(result).toMatchObject({ diagnostics: [{ code: 'include_cycle', line: 1, column: 11, path: 'include.0' }] });
  });
});

describe('a group', () => {
  it('is found in the package', () => {
    const file = workspace.write({ 'x.yaml': 'name: x\nschedule: squaredcos\ndetector: blazepose-heavy\n' });
    expect(experimentOf(file)).toMatchObject({
      schedule: { kind: 'squaredcos_cap_v2' },
      detector: { kind: 'blazepose', variant: 'heavy' },
    });
  });

  it('beside the experiment comes before the one of the package', () => {
    const file = workspace.write({
      'x.yaml': 'name: x\nschedule: linear\n',
      'configs/schedules/linear.yaml': 'kind: list\nvalues: [0.9, 0.8]\n',
    });
    expect(experimentOf(file).schedule).toMatchObject({ kind: 'list', values: [0.9, 0.8] });
  });

  it('takes overrides beside `config`', () => {
    const file = workspace.write({ 'x.yaml': 'name: x\nschedule: {config: scaled-linear, num_steps: 10}\n' });
    expect(experimentOf(file).schedule).toMatchObject({ kind: 'scaled_linear', num_steps: 10, beta_end: 0.012 });
  });

  it('that is chosen leaves nothing of the one in an included file', () => {
    const file = workspace.write({
      'x.yaml': 'name: x\ninclude: [a.yaml]\nschedule: linear\n',
      'a.yaml': 'schedule: {config: patent-literal, num_steps: 12}\n',
    });
    expect(experimentOf(file).schedule).toMatchObject({ kind: 'linear', num_steps: 50 });
  });

  it('of an included file keeps what is not overridden', () => {
    const file = workspace.write({
      'x.yaml': 'name: x\ninclude: [a.yaml]\nschedule: {num_steps: 12}\n',
      'a.yaml': 'schedule: patent-literal\n',
    });
    expect(experimentOf(file).schedule).toMatchObject({ kind: 'arithmetic', num_steps: 12, start: 0.00002 });
  });

  it('is a name and never a path', () => {
    const file = workspace.write({
      'x.yaml': 'name: x\nschedule: ../../secret\n',
      'secret.yaml': 'kind: linear\n',
    });
    expect(faultsOf(file)).toEqual(['unknown_config 2:11']);
  });

  it('that is misspelt brings the name that was meant and all there are', () => {
    const file = workspace.write({
      'x.yaml': 'name: x\nbackbone: mnii\n',
      'configs/backbones/own.yaml': 'path: mini\n',
    });
    const result = loadExperiment(file, { set: [] });
    expect(result).toMatchObject({ diagnostics: [{ hint: 'did you mean `mini`? there are: mini, own' }] });
  });
});

describe('an anchor', () => {
  it('may be used again by an alias', () => {
    const file = workspace.write({
      'x.yaml':
        'name: x\ndetector: &net {kind: blazepose}\njudge: {kind: mini}\nevaluate: {num_pairs: &n 5}\nseed: *n\n',
    });
    expect(experimentOf(file)).toMatchObject({ seed: 5, evaluate: { num_pairs: 5 } });
  });
});

describe('a path', () => {
  it('is relative to the YAML file it stands in', () => {
    const file = workspace.write({
      'x.yaml': 'name: x\ninclude: [parts/a.yaml]\nfigures: {pose: pose.json}\n',
      'parts/a.yaml': 'dataset: {sources: [{kind: folder, path: photos}]}\n',
      'parts/photos/keep': '',
      'pose.json': '[]',
    });
    const { dataset, figures } = experimentOf(file);
    expect(dataset.sources[0]).toMatchObject({ path: join(workspace.folder, 'parts/photos') });
    expect(figures.pose).toBe(join(workspace.folder, 'pose.json'));
  });

  it('of a flag is relative to the current folder', () => {
    const file = workspace.write({ 'x.yaml': 'name: x\n' });
    const { backbone } = experimentOf(file, 'backbone.path=./configs', 'adapter.path=./configs');
    expect(backbone.path).toBe(join(process.cwd(), 'configs'));
  });

  it('without a slash is the name of shipped models', () => {
    expect(experimentOf(workspace.write({ 'x.yaml': 'name: x\nbackbone: {path: mini}\n' })).backbone.path).toBe('mini');
  });
});
