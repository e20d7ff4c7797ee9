import { appendFile, mkdir, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { compareTrials } from '../../../orchestrator/commands/compare.ts';
import { ruleFor } from '../../../orchestrator/commands/early-stopping.ts';
import { exitCodeOf } from '../../../orchestrator/commands/exit-codes.ts';
import { runExperiment } from '../../../orchestrator/commands/run.ts';
import { showStatus } from '../../../orchestrator/commands/status.ts';
import { reportTrial, stateOf } from '../../../orchestrator/commands/trial-state.ts';
import { EarlyStopping, Sweep, type SweepTrial } from '../../../orchestrator/contracts/sweep.ts';
import { PosetwinError } from '../../../orchestrator/errors.ts';
import { runId } from '../../../orchestrator/plan/run-id.ts';
import { thisProcess } from '../../../orchestrator/processes/lock.ts';
import { chooseRun, HeldOutFiles, SweepFolder, writeJson } from '../../../orchestrator/runs/index.ts';
import { noFlags } from '../../fixtures/run-options.ts';
import { makeWorkspace, type Workspace } from '../config/workspace.ts';
import { experiment } from '../plan/experiment.ts';

const median = EarlyStopping.parse({ rule: 'median', min_trials: 2 });

let workspace: Workspace;
const before = process.cwd();
beforeEach(() => {
  workspace = makeWorkspace();
  process.chdir(workspace.folder);
});
afterEach(() => {
  vi.restoreAllMocks();
  process.chdir(before);
  workspace.remove();
});

const trialOf = (seed: number, more: Partial<SweepTrial> = {}): SweepTrial => {
  const resolved = experiment({ seed });
  const id = runId(resolved);
  return { id, assignment: { seed }, experiment: resolved, origins: {}, singular: [], orphaned: false, ...more };
};
const runOf = (trial: SweepTrial) => chooseRun(trial.experiment, { fresh: false }).run;

const freeze = async (trials: SweepTrial[], early_stopping: EarlyStopping | null = median) => {
  const folder = new SweepFolder('test');
  await folder.begin();
  const sweep = Sweep.parse({ early_stopping });
  await folder.writePlan({
    name: 'test',
    file: 'x.yaml',
    sweep,
    stages: { total: 0, distinct: 0 },
    estimate: null,
    trials,
  });
  return folder;
};

const lineOf = (step: number, target_pose: number | null): string =>
  `${JSON.stringify({ type: 'validation', time: 0, step, num_pairs: 1, objective: 1, best: false, terms: { target_pose } })}\n`;

/** What a training has written so far, in a folder of the store that is `partial` until it is done. */
const write = async (trial: SweepTrial, text: string, stage = `${trial.id}-key`): Promise<string> => {
  const run = runOf(trial);
  await run.begin({ experiment: trial.experiment, origins: {}, fresh: 0, file: 'x.yaml' });
  await writeJson(run.file('stages.json'), { train: `../../../store/${stage}` });
  const file = run.file('../../../store', `${stage}.partial`, 'events.jsonl');
  await mkdir(dirname(file), { recursive: true });
  await appendFile(file, text);
  return file;
};
const validate = (trial: SweepTrial, step: number, target_pose: number | null, stage?: string) =>
  write(trial, lineOf(step, target_pose), stage);

const own = new Map([[20, 0.5]]);

describe('the rule of a sweep', () => {
  it('is asked with what the other trials have written, and writes down what it cuts and why', async () => {
    const [first, second, third] = [trialOf(1), trialOf(2), trialOf(3)];
    const folder = await freeze([first, second, third]);
    const ask = await ruleFor(first);
    await validate(first, 20, 0.5);
    await validate(second, 20, 0.3);
    expect(await ask?.(20, own)).toBeUndefined();
    await validate(third, 20, 0.2);
    const cut = await ask?.(20, own);
    expect(cut).toMatchObject({ trial: first.id, step: 20, value: 0.5, threshold: 0.25, rule: median });
    expect(cut?.compared_with).toEqual([second.id, third.id]);
    expect(await folder.cuts()).toEqual([cut]);
  });

  it('is not asked anew about what it has cut, whatever the others have reached meanwhile', async () => {
    const trials = [1, 2, 3].map(seed => trialOf(seed));
    const [first, ...others] = trials as [SweepTrial, ...SweepTrial[]];
    const folder = await freeze(trials);
    for (const other of others) await validate(other, 20, 0.2);
    const cut = await (await ruleFor(first))?.(20, own);
    for (const other of others) await validate(other, 20, 0.9);
    expect(await (await ruleFor(first))?.(20, own)).toEqual(cut);
    expect(await folder.cuts()).toHaveLength(1);
    // By another rule it would go on.
    await freeze(trials, EarlyStopping.parse({ rule: 'median', min_trials: 1 }));
    expect(await (await ruleFor(first))?.(20, own)).toBeUndefined();
  });

  it('compares with no orphan, none of another group, and none that shares the training', async () => {
    const [first, second, shared] = [trialOf(1), trialOf(2), trialOf(3)];
    const orphan = trialOf(4, { orphaned: true });
    await validate(first, 20, 0.5, 'same');
    await validate(shared, 20, 0.1, 'same');
    for (const other of [second, orphan]) await validate(other, 20, 0.1);
    await freeze([first, second, shared, orphan], EarlyStopping.parse({ rule: 'median', min_trials: 1 }));
    expect((await (await ruleFor(first))?.(20, own))?.compared_with).toEqual([second.id]);
    await freeze([first, second], EarlyStopping.parse({ rule: 'median', min_trials: 1, within: ['seed'] }));
    expect(await (await ruleFor(first))?.(20, own)).toBeUndefined();
  });

  it('is none where the plan has none', async () => {
    const trial = trialOf(1);
    await freeze([trial], null);
    expect(await ruleFor(trial)).toBeUndefined();
  });
});

describe('the validations of another trial', () => {
  it('are found while its training goes on, the last one of a step, and once it is done', async () => {
    const files = new HeldOutFiles();
    const trial = trialOf(1);
    expect((await files.of(runOf(trial))).curve.size).toBe(0);
    const file = await validate(trial, 10, 0.5);
    await write(trial, '{"type":"boundary","time":0,"step":10}\nnot an event of "validation"\n');
    await validate(trial, 10, 0.4);
    expect([...(await files.of(runOf(trial))).curve]).toEqual([[10, 0.4]]);
    await validate(trial, 20, null);
    // Its writer is in the middle of a line.
    await write(trial, lineOf(30, 0.1).slice(0, 40));
    expect([...(await files.of(runOf(trial))).curve]).toEqual([
      [10, 0.4],
      [20, null],
    ]);
    await rename(dirname(file), dirname(file).replace('.partial', ''));
    expect((await files.of(runOf(trial))).curve.size).toBe(2);
  });
});

describe('a trial that was cut', () => {
  const status = { started: '', finished: '', report: null, message: null, process: thisProcess() };
  const cut = {
    ...{ trial: '', step: 20, rule: median, value: 0.5, threshold: 0.25, compared_with: ['a', 'b'], time: '' },
  };

  it('has an exit code of its own, beside that of an interruption', () => {
    const codes = (['cut_short', 'cancelled', 'preempted'] as const).map(code =>
      exitCodeOf(new PosetwinError(code, '')),
    );
    expect(codes).toEqual([5, 130, 130]);
  });

  it('is cut until it goes on by hand or is done all the same', () => {
    expect(stateOf({ ...status, status: 'interrupted', code: 'cut_short' }, cut)).toBe('cut');
    expect(stateOf({ ...status, status: 'running', code: null }, cut)).toBe('running');
    expect(stateOf({ ...status, status: 'done', code: null }, cut)).toBe('done');
    expect(stateOf({ ...status, status: 'interrupted', code: 'cut_short' })).toBe('interrupted');
  });

  it('is shown with its step and the reason, while the rule stands', async () => {
    const trial = trialOf(1);
    const folder = await freeze([trial]);
    await folder.addCut({ ...cut, trial: trial.id });
    const run = runOf(trial);
    await run.begin({ experiment: trial.experiment, origins: {}, fresh: 0, file: 'x.yaml' });
    await run.writeStatus({ ...status, status: 'interrupted', code: 'cut_short' });
    const out: string[] = [];
    vi.spyOn(console, 'log').mockImplementation((text: string) => void out.push(text));
    await showStatus('test', { json: false });
    expect(out.join('\n')).toContain('cut at step 20: median, 0.500 > 0.250 among 2 others');
    out.length = 0;
    await showStatus('test', { json: true });
    expect(JSON.parse(out.join('')).trials).toMatchObject([{ state: 'cut', cut: { step: 20, threshold: 0.25 } }]);
    expect((await reportTrial(trial)).state).toBe('interrupted');
  });

  it('keeps its row in a comparison, as what it is', async () => {
    const trial = trialOf(1);
    const folder = await freeze([trial]);
    await folder.addCut({ ...cut, trial: trial.id });
    await runOf(trial).writeStatus({ ...status, status: 'interrupted', code: 'cut_short' });
    const out: string[] = [];
    vi.spyOn(console, 'log').mockImplementation((text: string) => void out.push(text));
    expect(await compareTrials('test', { by: 'error', json: true, markdown: false })).toBe(0);
    expect(JSON.parse(out.join('')).trials).toMatchObject([{ id: trial.id, state: 'cut', outcome: 'cut' }]);
  });

  it('is not started again by the same command', async () => {
    const train = '{validation: {steps: 50}, max_train_steps: 200}';
    const rule = '{rule: median, min_trials: 2}';
    const sweep = `{axes: {seed: [1, 2, 3]}, early_stopping: ${rule}}`;
    const text = `name: test\ndataset: mini-small\ntrain: ${train}\nsweep: ${sweep}\n`;
    const file = workspace.write({ 'x.yaml': text });
    const said: string[] = [];
    vi.spyOn(console, 'error').mockImplementation((line: string) => void said.push(line));
    expect(await runExperiment(file, { ...noFlags, onlyFailed: true })).toBe(0);
    const folder = new SweepFolder('test');
    const [first, ...others] = (await folder.plan())?.trials ?? [];
    for (const other of others) await runOf(other).writeStatus({ ...status, status: 'failed', code: 'diverged' });
    await folder.addCut({ ...cut, trial: first?.id ?? '' });
    if (first) await runOf(first).writeStatus({ ...status, status: 'interrupted', code: 'cut_short' });
    said.length = 0;
    expect(await runExperiment(file, noFlags)).toBe(0);
    expect(said.join('\n')).toContain('0 of 3 trials to run');
    expect(said.join('\n')).toContain('1 cut, 2 diverged');
  });

  it('keeps every line where several write at the same time', async () => {
    const folder = await freeze([trialOf(1)]);
    await Promise.all(['a', 'b', 'c'].map(trial => folder.addCut({ ...cut, trial })));
    expect((await folder.cuts()).map(({ trial }) => trial).sort()).toEqual(['a', 'b', 'c']);
  });
});
