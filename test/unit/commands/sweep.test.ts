import { existsSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { showPlan } from '../../../orchestrator/commands/plan.ts';
import { runExperiment } from '../../../orchestrator/commands/run.ts';
import { showStatus } from '../../../orchestrator/commands/status.ts';
import { stateOf } from '../../../orchestrator/commands/trial-state.ts';
import { validate } from '../../../orchestrator/commands/validate.ts';
import { thisProcess } from '../../../orchestrator/processes/lock.ts';
import { chooseRun, findTrial, listRuns, type Status, SweepFolder } from '../../../orchestrator/runs/index.ts';
import { noFlags } from '../../fixtures/run-options.ts';
import { experimentOf, makeWorkspace, type Workspace } from '../config/workspace.ts';

const plain = 'name: x\ndataset: mini-small\n';
const sweep = 'sweep:\n  axes: {seed: [1, 2], schedule: [linear, patent-literal]}\n';

let workspace: Workspace;
let out: string[];
let err: string[];
const before = process.cwd();
beforeEach(() => {
  workspace = makeWorkspace();
  process.chdir(workspace.folder);
  [out, err] = [[], []];
  vi.spyOn(console, 'log').mockImplementation((text: string) => void out.push(text));
  vi.spyOn(console, 'error').mockImplementation((text: string) => void err.push(text));
});
afterEach(() => {
  vi.restoreAllMocks();
  process.chdir(before);
  workspace.remove();
});

const usual = { set: [], sweep: [], json: false };
describe('validate', () => {
  it('checks every trial, and says how many there are', async () => {
    const file = workspace.write({ 'x.yaml': plain + sweep });
    expect(await validate([file], usual)).toBe(0);
    expect(out.join()).toContain('x.yaml: valid, 4 trials');
    expect(await validate([file], { ...usual, sweep: ['seed=1'] })).toBe(0);
    expect(out.at(-1)).toContain('valid, 2 trials');
  });

  it('finds what only a resolved schedule shows, and names the trial', async () => {
    const file = workspace.write({ 'x.yaml': `${plain}sweep:\n  axes: {schedule.singular: [drop, error]}\n` });
    const set = ['schedule=patent-literal'];
    expect(await validate([file], { ...usual, set, json: true })).toBe(2);
    const { files } = JSON.parse(out.join(''));
    expect(files[0].diagnostics).toMatchObject([{ code: 'singular_schedule', file, line: 4, column: 36 }]);
    expect(files[0].diagnostics[0].message).toContain('in the trial schedule.singular=error');
  });
});

describe('plan', () => {
  it('shows which stages of which trial are to do, which are shared, and which schedule is singular', async () => {
    const file = workspace.write({ 'x.yaml': plain + sweep });
    expect(await showPlan(file, { ...usual, fresh: false, json: true })).toBe(0);
    const { name, stages, trials } = JSON.parse(out.join(''));
    // Two seeds share nothing; two schedules share all that no training has a part in.
    expect([name, stages]).toEqual(['x', { total: 40, distinct: 32 }]);
    const states = (index: number) => trials[index].stages.map(({ state }: { state: string }) => state);
    expect(states(0)).toEqual(Array(9).fill('to do'));
    const trained = ['to do', 'shared', ...Array(4).fill('to do')];
    expect(states(1)).toEqual([...Array(3).fill('shared'), ...trained]);
    expect(trials[1].singular).toMatchObject([{ t: 50, quantity: 'Q', handled: 'drop' }]);
    expect(existsSync('runs')).toBe(false);
    expect(await showPlan(file, { ...usual, fresh: false })).toBe(0);
    expect(out.at(-1)).toContain('singular at t 50: drop');
  });
});

/** Freezes the plan and starts nothing: no trial has failed yet. */
const freeze = (file: string, given: string[] = []) =>
  runExperiment(file, { ...noFlags, sweep: given, onlyFailed: true });

describe('a frozen plan', () => {
  it('holds the trials as they were, whatever becomes of the file', async () => {
    const file = workspace.write({ 'x.yaml': plain + sweep });
    expect(await freeze(file)).toBe(0);
    const plan = await new SweepFolder('x').plan();
    expect(plan).toMatchObject({ name: 'x', file, stages: { total: 40, distinct: 32 } });
    workspace.write({ 'x.yaml': 'name: [broken' });
    const id = plan?.trials[3]?.id ?? '';
    workspace.write({ 'plain.yaml': plain });
    const alone = experimentOf('plain.yaml', 'seed=2', 'schedule=patent-literal');
    expect((await findTrial(file, id))?.experiment).toEqual(alone);
    // The trial is the plain run, so its folder is that run's.
    expect(chooseRun(alone, { fresh: false }).run.id).toBe(id);
    expect(await findTrial('other.yaml', id)).toBeUndefined();
    expect(await listRuns()).toEqual([]);
  });

  it('is told what an edit adds, keeps and orphans', async () => {
    const file = workspace.write({ 'x.yaml': plain + sweep });
    await freeze(file);
    expect(err.join('\n')).not.toContain('changed');
    await freeze(file);
    expect(err.join('\n')).not.toContain('changed');
    await freeze(file, ['seed=2,3']);
    expect(err.join('\n')).toContain('changed since the plan was frozen: 2 added, 2 kept, 2 orphaned');
    expect(err.join('\n')).toMatch(/ {2}- [0-9a-f]{8} seed=1 schedule=linear/);
    const plan = await new SweepFolder('x').plan();
    expect(plan?.trials.map(({ orphaned }) => orphaned)).toEqual([...Array(4).fill(false), true, true]);
  });

  it('is shown by status, by its name and by its file', async () => {
    const file = workspace.write({ 'x.yaml': plain + sweep });
    await freeze(file);
    for (const given of ['x', 'x.yaml']) {
      out = [];
      expect(await showStatus(given, { json: true })).toBe(0);
      const { trials } = JSON.parse(out.join(''));
      expect(trials).toHaveLength(4);
      expect(trials[0]).toMatchObject({ state: 'pending', assignment: { seed: 1, schedule: 'linear' }, percent: 0 });
    }
    await expect(showStatus('y', { json: false })).rejects.toMatchObject({ code: 'usage' });
  });
});

describe('--trial', () => {
  it('is refused where there is no such trial, or beside what would change it', async () => {
    const file = workspace.write({ 'x.yaml': plain });
    await expect(runExperiment(file, { ...noFlags, trial: 'abc' })).rejects.toMatchObject({ code: 'usage' });
    const changed = { ...noFlags, trial: 'abc', set: ['seed=1'] };
    await expect(runExperiment(file, changed)).rejects.toMatchObject({ code: 'usage' });
  });
});

describe('flags of a sweep', () => {
  it('are refused where there is none', async () => {
    const file = workspace.write({ 'x.yaml': plain });
    const flags = [
      { failFast: true },
      { maxFailures: 1 },
      { onlyFailed: true },
      { local: true },
      { earlyStopping: true },
    ];
    for (const given of flags)
      await expect(runExperiment(file, { ...noFlags, ...given })).rejects.toMatchObject({ code: 'usage' });
    const many = workspace.write({ 'y.yaml': plain + sweep });
    await expect(runExperiment(many, { ...noFlags, fresh: true })).rejects.toMatchObject({ code: 'usage' });
  });
});

describe('a trial', () => {
  const status: Status = {
    ...{ status: 'running', started: '', finished: null, report: null, code: null, message: null },
    process: thisProcess(),
  };

  it('is running only while its process lives', () => {
    expect(stateOf(status)).toBe('running');
    // No process has this number: Linux allows at most 2^22.
    expect(stateOf({ ...status, process: { ...thisProcess(), pid: 2 ** 30 } })).toBe('interrupted');
    expect(stateOf({ ...status, process: null })).toBe('interrupted');
  });

  it('is pending, done, failed or diverged by what its run says', () => {
    expect(stateOf(undefined)).toBe('pending');
    expect(stateOf({ ...status, status: 'done' })).toBe('done');
    expect(stateOf({ ...status, status: 'failed', code: 'worker_died' })).toBe('failed');
    expect(stateOf({ ...status, status: 'failed', code: 'dead_gradient' })).toBe('diverged');
  });
});
