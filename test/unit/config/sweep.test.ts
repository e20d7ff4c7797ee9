import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeAssignment } from '../../../orchestrator/config/assignment-text.ts';
import { formatOrigin } from '../../../orchestrator/config/origins.ts';
import { type LoadedSweep, loadSweep } from '../../../orchestrator/config/sweep.ts';
import { sweepDiagnostics } from '../../../orchestrator/config/sweep-diagnostics.ts';
import type { Experiment } from '../../../orchestrator/contracts/experiment.ts';
import { experimentOf, faultsOf, makeWorkspace, type Workspace } from './workspace.ts';

let workspace: Workspace;
beforeEach(() => {
  workspace = makeWorkspace();
});
afterEach(() => workspace.remove());

const plain = 'name: x\ndataset: mini-small\nschedule:\n  config: linear\n  num_steps: 10\n';
const write = (sweep: string, experiment = plain) => workspace.write({ 'x.yaml': `${experiment}sweep:\n${sweep}` });
const flags = (set: string[] = [], sweep: string[] = []) => ({ set, sweep });

const sweepOf = (file: string, options = flags()): Extract<LoadedSweep, { ok: true }> => {
  const loaded = loadSweep(file, options);
  if (!loaded?.ok) throw new Error(JSON.stringify(loaded, null, 2));
  return loaded;
};
const experiments = (file: string, options = flags()): Experiment[] =>
  sweepOf(file, options).trials.map(({ result }) => {
    if (!result.ok) throw new Error(JSON.stringify(result.diagnostics, null, 2));
    return result.experiment;
  });
const namesOf = (file: string, options = flags()) =>
  sweepOf(file, options).trials.map(({ assignment }) => describeAssignment(assignment));

/** `code line:column`, of the section or of its trials. */
const faults = (file: string, options = flags()): string[] => {
  const loaded = loadSweep(file, options);
  const found = loaded?.ok ? sweepDiagnostics(loaded.trials, file) : (loaded?.diagnostics ?? []);
  return found.map(({ code, line, column }) => `${code} ${line}:${column}`);
};
const messages = (file: string): string[] => {
  const loaded = loadSweep(file, flags());
  return (loaded?.ok ? sweepDiagnostics(loaded.trials, file) : (loaded?.diagnostics ?? [])).map(d => d.message);
};

describe('slurm', () => {
  it('is no part of the trials, and alone makes one of the experiment as it is', () => {
    const file = workspace.write({
      'x.yaml': `${plain}slurm: {partition: gpu, setup: cluster.sh}\n`,
      'cluster.sh': '',
    });
    const alone = workspace.write({ 'plain.yaml': plain });
    expect(sweepOf(file).slurm).toMatchObject({ partition: 'gpu', setup: join(workspace.folder, 'cluster.sh') });
    expect(experiments(file)).toEqual([experimentOf(alone)]);
    expect(experimentOf(file)).toEqual(experimentOf(alone));
    expect(namesOf(file, flags(['slurm.partition=cpu'], ['seed=1,2']))).toEqual(['seed=1', 'seed=2']);
    expect(sweepOf(alone, flags(['slurm.time=4:00:00'])).slurm).toMatchObject({ time: '4:00:00', partition: null });
  });

  it('is refused at its place', () => {
    const file = workspace.write({
      'x.yaml': `${plain}slurm:\n  setup: no.sh\n  time: soon\n  options: {array: 1-2}\n`,
    });
    expect(faults(file)).toEqual(['missing_file 7:10', 'out_of_range 8:9', 'wrong_type 9:20']);
  });
});

describe('a trial', () => {
  it('is the experiment of the same file without `sweep`, with --set for each of its values', () => {
    const file = write(`  axes:
    schedule: [linear, patent-beta, {kind: scaled_linear, num_steps: 7}]
    train.learning_rate: [1e-4, 3e-4]
    seed: [1, 2]
    method.normalization_bias: [[0, 0], [0.5, 0]]
`);
    const alone = workspace.write({ 'plain.yaml': plain });
    const found = experiments(file);
    expect(found).toHaveLength(24);
    expect(found[0]).toEqual(
      experimentOf(alone, 'schedule=linear', 'train.learning_rate=1e-4', 'seed=1', 'method.normalization_bias=[0,0]'),
    );
    expect(found.at(-1)).toEqual(
      experimentOf(
        alone,
        'schedule={kind: scaled_linear, num_steps: 7}',
        'train.learning_rate=3e-4',
        'seed=2',
        'method.normalization_bias=[0.5,0]',
      ),
    );
  });

  it('leaves the experiment of a file with `sweep` what it is without', () => {
    const file = write('  axes: {seed: [1]}\n');
    expect(experimentOf(file)).toEqual(experimentOf(workspace.write({ 'plain.yaml': plain })));
  });

  it('keeps what an axis says within the section that another one replaces, whatever their order', () => {
    const file = write('  axes:\n    schedule.num_steps: [4]\n    schedule: [patent-beta]\n');
    expect(experiments(file)[0]?.schedule).toMatchObject({ kind: 'arithmetic', num_steps: 4 });
    const set = ['schedule.num_steps=5'];
    const other = write('  axes: {schedule: [patent-beta, linear]}\n');
    expect(experiments(other, flags(set)).map(({ schedule }) => schedule)).toMatchObject([
      { kind: 'arithmetic', num_steps: 5 },
      { kind: 'linear', num_steps: 5 },
    ]);
  });

  it('says of each value whether an axis of the file or of the command line gave it', () => {
    const file = write('  axes:\n    seed: [1]\n');
    const [trial] = sweepOf(file, flags([], ['train.learning_rate=1e-4,3e-4'])).trials;
    if (!trial?.result.ok) throw new Error('the trial is broken');
    const { origins } = trial.result;
    expect(origins.seed).toEqual({ kind: 'file', file, line: 8, column: 12 });
    const flag = { kind: 'flag', text: 'train.learning_rate=1e-4,3e-4', flag: '--sweep' } as const;
    expect(origins['train.learning_rate']).toEqual(flag);
    expect(formatOrigin(flag)).toBe('--sweep train.learning_rate=1e-4,3e-4');
  });

  it('has files of its values relative to the file that names them', () => {
    const file = workspace.write({
      'x.yaml': `${plain}sweep:\n  axes:\n    figures.pose: [a.json, b.json]\n`,
      'a.json': '{}',
      'b.json': '{}',
    });
    expect(experiments(file).map(({ figures }) => figures.pose)).toEqual(
      ['a.json', 'b.json'].map(name => `${workspace.folder}/${name}`),
    );
  });
});

describe('the section', () => {
  it('is left out where neither file nor command line has one', () => {
    expect(loadSweep(workspace.write({ 'x.yaml': plain }), flags(['seed=1']))).toBeUndefined();
  });

  it('gives includes beside the combinations that are not excluded', () => {
    const file = write(`  axes: {seed: [1, 2], schedule: [linear, patent-beta]}
  exclude: [{seed: 2, schedule: linear}]
  include: [{train.learning_rate: 1e-3, seed: 7}]
`);
    expect(namesOf(file)).toEqual([
      'seed=1 schedule=linear',
      'seed=1 schedule=patent-beta',
      'seed=2 schedule=patent-beta',
      'train.learning_rate=0.001 seed=7',
    ]);
  });

  it('knows a config of a group by either of its names', () => {
    const file = write(`  axes: {schedule.config: [linear, patent-beta], seed: [1]}
  exclude: [{schedule.config: linear}]
`);
    expect(namesOf(file)).toEqual(['schedule=patent-beta seed=1']);
    expect(faults(write('  axes: {schedule: [linear], schedule.config: [patent-beta]}\n'))).toEqual([
      'duplicate_key 7:30',
    ]);
  });

  it('takes axes from --sweep in place of those of the file, and beside them', () => {
    const file = write('  axes: {seed: [1, 2]}\n');
    expect(namesOf(file, flags([], ['seed=3', 'schedule.config=linear,patent-beta']))).toEqual([
      'seed=3 schedule=linear',
      'seed=3 schedule=patent-beta',
    ]);
    const bare = workspace.write({ 'bare.yaml': plain });
    expect(namesOf(bare, flags([], ['method.normalization_bias=[0,0],[0.5, 0]']))).toEqual([
      'method.normalization_bias=[0,0]',
      'method.normalization_bias=[0.5,0]',
    ]);
  });

  it('is changed by --set sweep.…', () => {
    const file = write('  axes: {seed: [1, 2, 3]}\n');
    expect(sweepOf(file, flags(['sweep.slots=2', 'sweep.max_trials=2'])).sweep).toMatchObject({ slots: 2 });
    expect(namesOf(file, flags(['sweep.max_trials=2']))).toEqual(['seed=1', 'seed=2']);
  });
});

describe('a sweep that cannot be', () => {
  it.each([
    ['an axis without values', '  axes: {seed: []}\n', ['out_of_range 7:16']],
    ['an axis that is no list', '  axes: {seed: 3}\n', ['wrong_type 7:16']],
    ['an unknown key', '  axes: {seed: [1]}\n  max_trails: 3\n', ['unknown_key 8:3']],
    ['an unknown strategy', '  strategy: gird\n  axes: {seed: [1]}\n', ['unknown_value 7:13']],
    ['no trial', '  slots: 2\n', ['refused_combination 6:1']],
    ['the name as an axis', '  axes: {name: [a, b]}\n', ['refused_combination 7:10']],
    ['draws without a number', '  strategy: random\n  axes: {seed: [1, 2]}\n', ['missing_key 7:13']],
    [
      'lists of unequal lengths',
      '  strategy: list\n  axes:\n    seed: [1, 2]\n    train.learning_rate: [1e-4]\n',
      ['refused_combination 10:5'],
    ],
    [
      'an exclusion of what there is not',
      '  axes: {seed: [1, 2]}\n  exclude: [{sede: 1}, {seed: 3}]\n',
      ['unknown_key 8:14', 'unknown_value 8:31'],
    ],
    ['everything excluded', '  axes: {seed: [1]}\n  exclude: [{seed: 1}]\n', ['refused_combination 6:1']],
    [
      'too many combinations',
      `  axes: {seed: &many [${Array(400).fill(1)}], num_threads: *many}\n`,
      ['out_of_range 6:1'],
    ],
  ])('is refused at its place: %s', (_, sweep, expected) => {
    expect(faults(write(sweep))).toEqual(expected);
  });

  it('is told as a trial where a trial is wrong', () => {
    expect(faults(write('  axes:\n    train.lerning_rate: [1, 2]\n'))).toEqual(['unknown_key 8:11']);
    expect(faults(write('  axes:\n    "train.lerning_rate": [1]\n'))).toEqual(['unknown_key 8:12']);
    const file = write('  axes:\n    seed: [1, 2]\n    schedule: [linear, patent-beat]\n');
    expect(faults(file)).toEqual(['unknown_config 9:24']);
    expect(messages(file)[0]).toContain('(in the trial seed=1 schedule=patent-beat and 1 more)');
  });

  it('tells a fault of the experiment itself once, and no trial', () => {
    const file = write(
      '  axes: {seed: [1, 2, 3]}\n',
      'name: x\nsede: 1\ndataset: mini-small\ntrain: {}\nnum_threads: 1\n',
    );
    expect(faults(file)).toEqual(['unknown_key 2:1']);
    expect(messages(file)[0]).not.toContain('trial');
    expect(faultsOf(file)).toEqual(['unknown_key 2:1']);
  });

  it('is refused where a flag would have no effect, or has no values', () => {
    const file = write('  axes: {seed: [1]}\n');
    expect(faults(workspace.write({ 'plain.yaml': plain }), flags(['sweep.slots=2']))).toEqual([
      'refused_combination 1:1',
    ]);
    expect(faults(file, flags(['seed=4']))).toEqual(['refused_combination 1:1']);
    expect(faults(file, flags([], ['seed']))).toEqual(['usage 1:1']);
    expect(faults(file, flags([], ['seed=']))).toEqual(['out_of_range 1:5']);
    expect(faults(file, flags([], ['seed=1,x']))).toEqual(['wrong_type 1:8']);
  });
});
