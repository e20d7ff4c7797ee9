import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { compareTrials } from '../../../orchestrator/commands/compare.ts';
import { showDiff } from '../../../orchestrator/commands/diff.ts';
import { exportSweep } from '../../../orchestrator/commands/export.ts';
import { findRun, lastFinished } from '../../../orchestrator/commands/find-run.ts';
import { showLogs } from '../../../orchestrator/commands/logs.ts';
import { replayTarget } from '../../../orchestrator/commands/replay.ts';
import { runExperiment } from '../../../orchestrator/commands/run.ts';
import { reportSweep } from '../../../orchestrator/commands/sweep-report.ts';
import type { SweepTrial } from '../../../orchestrator/contracts/sweep.ts';
import { thisProcess } from '../../../orchestrator/processes/lock.ts';
import { SweepFolder } from '../../../orchestrator/runs/index.ts';
import { noFlags } from '../../fixtures/run-options.ts';
import { makeWorkspace, type Workspace } from '../config/workspace.ts';
import { failRun, finishRun } from './finished.ts';

const file = `name: x
dataset: mini-small
sweep:
  axes: {schedule: [linear, patent-beta], seed: [1, 2]}
`;

let workspace: Workspace;
let out: string[];
let trials: SweepTrial[];
const before = process.cwd();
const freeze = () => runExperiment('x.yaml', { ...noFlags, onlyFailed: true });

beforeEach(async () => {
  workspace = makeWorkspace();
  process.chdir(workspace.folder);
  out = [];
  vi.spyOn(console, 'log').mockImplementation((text: string) => void out.push(text));
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
  workspace.write({ 'x.yaml': file });
  await freeze();
  trials = (await new SweepFolder('x').plan())?.trials ?? [];
});
afterEach(() => {
  vi.restoreAllMocks();
  process.chdir(before);
  workspace.remove();
});

const trial = (index: number): SweepTrial => {
  const found = trials[index];
  if (found === undefined) throw new Error(`no trial ${index}`);
  return found;
};

/** linear at both seeds, patent-beta at one; its other seed has no gradient. */
const finish = async (): Promise<void> => {
  await finishRun(trial(0).experiment, { primary: [4, 4], secondary: [2, 4] });
  await finishRun(trial(1).experiment, { primary: [4, 4], secondary: [3, 5] });
  await finishRun(trial(2).experiment, { primary: [4, 4], secondary: [6, 8] });
  await failRun(trial(3).experiment, 'dead_gradient');
};

describe('compare', () => {
  const options = { by: 'error', json: false, markdown: false } as const;

  it('is refused before a trial has ended', async () => {
    await expect(compareTrials('x', options)).rejects.toMatchObject({ code: 'usage' });
  });

  it('ranks, tells what could not be trained, and writes the page', async () => {
    await finish();
    expect(await compareTrials('x', { ...options, json: true })).toBe(0);
    const { groups, trials: told, conclusion, finished } = JSON.parse(out.join(''));
    // Means over pairs, then seeds: 3 and 4; of patent-beta 7.
    expect(groups).toMatchObject([
      { assignment: { schedule: 'linear' }, seeds: [1, 2], keypoint_error_px: { mean: 3.5 } },
      { assignment: { schedule: 'patent-beta' }, seeds: [1], against_best: { mean_difference: 4, paired_by: 'pair' } },
    ]);
    expect(told.map(({ outcome }: { outcome: string }) => outcome)).toEqual(['done', 'done', 'done', 'no gradient']);
    // 50 steps from 1 s to 50 s after the start; 12 s as the stage has recorded; 3 GiB.
    expect(told[0]).toMatchObject({ train_seconds: 50, evaluate_seconds: 12, peak_memory_mb: 3072 });
    expect(told[0].keypoint_error_ratio.mean).toBe(0.75);
    expect(finished).toBe(3);
    expect(conclusion).toContain('linear is ');
    expect(readFileSync('runs/x/sweep/report.html', 'utf8')).toContain(`../${trial(0).id}/report.html`);
  });

  it('ranks no adapter that training has left as it was', async () => {
    await finishRun(trial(0).experiment, { primary: [4, 4], secondary: [2, 4] });
    await finishRun(trial(2).experiment, { primary: [4, 4], secondary: [4, 4], refused: true });
    await compareTrials('x', { ...options, json: true });
    const { groups, trials: told } = JSON.parse(out.join(''));
    expect(groups.map(({ assignment }: { assignment: object }) => assignment)).toEqual([{ schedule: 'linear' }]);
    expect(told[2]).toMatchObject({ state: 'done', outcome: 'no gradient', keypoint_error_px: 4 });
  });

  it('prints tables for people and as Markdown', async () => {
    await finish();
    await compareTrials('x', options);
    expect(out.join('\n')).toContain('sweep x: 4 trials, 3 done, 1 no gradient');
    expect(out.join('\n')).toContain('report: runs/x/sweep/report.html');
    out = [];
    await compareTrials('x', { ...options, markdown: true });
    const rows = out
      .join('\n')
      .split('\n')
      .filter(line => line.startsWith('| '));
    // Two heads with their rules, two settings, four trials.
    expect(rows).toHaveLength(2 + 2 + 2 + 4);
    await expect(compareTrials('x', { ...options, markdown: true, json: true })).rejects.toMatchObject({
      code: 'usage',
    });
  });
});

describe('the end of a sweep', () => {
  it('tells what its comparison comes to, and where its page is; nothing before a trial has ended', async () => {
    const [folder, plan] = [new SweepFolder('x'), await new SweepFolder('x').plan()];
    if (plan === undefined) throw new Error('no plan');
    expect(await reportSweep(plan, folder)).toEqual([]);
    await finish();
    const [sentence, where] = await reportSweep(plan, folder);
    expect(sentence).toContain('By keypoint error, linear is ');
    expect(where).toBe('report: runs/x/sweep/report.html');
  });

  it('does not fail where the page cannot be made', async () => {
    const [folder, plan] = [new SweepFolder('x'), await new SweepFolder('x').plan()];
    if (plan === undefined) throw new Error('no plan');
    const run = await finishRun(trial(0).experiment, { primary: [4], secondary: [2] });
    writeFileSync(join((await run.stageFolder('evaluate')) ?? '', 'result.json'), '{');
    expect((await reportSweep(plan, folder)).join()).toContain('no report of the sweep: corrupt_file');
  });
});

describe('export', () => {
  it('writes a row for each trial, and never over a file', async () => {
    await finish();
    expect(await exportSweep('x', { out: 'new/trials.json' })).toBe(0);
    const rows = JSON.parse(readFileSync('new/trials.json', 'utf8'));
    expect(rows).toMatchObject([
      { id: trial(0).id, schedule: 'linear', seed: 1, outcome: 'done', keypoint_error_px: 3 },
      { seed: 2 },
      { schedule: 'patent-beta', run: `runs/x/${trial(2).id}` },
      { state: 'diverged', code: 'dead_gradient', trained: false, keypoint_error_px: null },
    ]);
    await expect(exportSweep('x', { out: 'new/trials.json' })).rejects.toMatchObject({ code: 'usage' });
    expect(JSON.parse(readFileSync('new/trials.json', 'utf8'))).toEqual(rows);
    await exportSweep('x', { out: 'table', format: 'csv' });
    expect(readFileSync('table', 'utf8').trimEnd().split('\r\n')).toHaveLength(5);
  });

  it('asks for a format where the file has none', async () => {
    await expect(exportSweep('x', { out: 'trials.txt' })).rejects.toMatchObject({ code: 'usage' });
    expect(existsSync('trials.txt')).toBe(false);
  });
});

describe('a run is found', () => {
  it('by folder, name/id, id, and by its name the one started last', async () => {
    await finish();
    const { id } = trial(0);
    for (const given of [`runs/x/${id}`, `x/${id}`, id, `./runs/x/${id}/`]) expect((await findRun(given)).id).toBe(id);
    expect((await findRun('x')).name).toBe('x');
    const again = await finishRun(trial(0).experiment, { primary: [1], secondary: [1] }, true);
    // Started over, the trial goes on in another folder: each keeps its own name.
    expect((await findRun(id)).id).toBe(id);
    expect((await findRun(again.id)).id).toBe(again.id);
  });

  it('or is told to be unknown, or a trial that has not been started', async () => {
    await expect(findRun('y')).rejects.toMatchObject({ code: 'usage' });
    await expect(findRun(trial(0).id)).rejects.toMatchObject({
      message: expect.stringContaining('has not been started'),
    });
  });
});

describe('diff', () => {
  const compared = async (a: string, b: string) => {
    out = [];
    expect(await showDiff(a, b, { json: true })).toBe(0);
    return JSON.parse(out.join(''));
  };

  it('finds nothing between a run and its exact repetition but the clock', async () => {
    const results = { primary: [4, 4], secondary: [2, 4] };
    const first = await finishRun(trial(0).experiment, results);
    const second = await finishRun(trial(0).experiment, results, true);
    const { experiment, surroundings, stages, equality } = await compared(first.id, second.id);
    expect([experiment, surroundings, stages.differences]).toEqual([[], { differences: [], unknown: [] }, []]);
    expect(equality.map(({ equal }: { equal: boolean }) => equal)).toEqual([true, true, true]);
  });

  it('names what differs in experiment, versions, fingerprints and bits', async () => {
    const first = await finishRun(trial(0).experiment, { primary: [4], secondary: [2] });
    const second = await finishRun(trial(1).experiment, {
      ...{ primary: [4], secondary: [3], weights: 'b'.repeat(64) },
      ...{ world: 'world 2', packages: { torch: '2.7.0' } },
    });
    const { experiment, surroundings, stages, equality } = await compared(first.path, `x/${second.id}`);
    expect(experiment).toEqual([{ path: 'seed', before: 1, after: 2 }]);
    expect(surroundings.differences).toEqual([{ path: 'versions.torch', before: '2.6.0', after: '2.7.0' }]);
    expect(stages.differences).toEqual([{ path: 'assemble.inputs.source_0', before: 'world 1', after: 'world 2' }]);
    expect(equality).toMatchObject([
      { what: 'weights', equal: false },
      { what: 'losses', equal: true },
      { what: 'held-out pairs', equal: false, detail: '0 of 1' },
    ]);
    out = [];
    await showDiff(first.id, second.id, { json: false });
    expect(out.join('\n')).toContain('seed: 1 -> 2');
    expect(out.join('\n')).toContain('weights: different');
  });

  it('shows two runs of which one has no result', async () => {
    const first = await finishRun(trial(0).experiment, { primary: [4], secondary: [2] });
    const second = await failRun(trial(1).experiment, 'out_of_memory');
    await showDiff(first.id, second.id, { json: false });
    expect(out.join('\n')).toContain(`no numbers to compare: x/${second.id} not finished`);
    expect(out.join('\n')).toContain('not recorded by both: code, versions, machine');
  });
});

describe('replay', () => {
  const results = { primary: [4], secondary: [2] };

  it('starts anew in a folder of its own, and goes on where one was stopped', async () => {
    const { experiment } = trial(0);
    const first = await finishRun(experiment, results);
    const target = await replayTarget(experiment, first);
    expect([target.fresh, target.run.id === first.id]).toEqual([1, false]);
    const stopped = { started: '2024', finished: '2024', report: null, code: 'cancelled', message: '', process: null };
    await target.run.begin({ experiment, origins: {}, fresh: 1, file: 'x.yaml' });
    await target.run.writeStatus({ status: 'interrupted', ...stopped });
    expect((await replayTarget(experiment, first)).run.id).toBe(target.run.id);
    await target.run.writeStatus({ status: 'done', ...stopped });
    expect((await replayTarget(experiment, first)).fresh).toBe(2);
  });

  it('goes by the last run of a name that is done, not by a replay that was stopped', async () => {
    const first = await finishRun(trial(0).experiment, results);
    const stopped = await finishRun(trial(0).experiment, results, true);
    const status = await stopped.status();
    if (status === undefined) throw new Error('no status');
    await stopped.writeStatus({ ...status, status: 'interrupted', started: '2025' });
    expect((await lastFinished('x'))?.id).toBe(first.id);
    expect(await lastFinished(first.id)).toBeUndefined();
  });

  it('computes everything anew where the run lies elsewhere, or had another id', async () => {
    const elsewhere = await finishRun(trial(1).experiment, results);
    const { run, fresh } = await replayTarget(trial(0).experiment, elsewhere);
    expect([fresh, existsSync(run.path), run.name]).toEqual([1, false, 'x']);
  });
});

describe('logs', () => {
  it('shows what all trials have printed, each line with its trial, or one alone', async () => {
    const folder = new SweepFolder('x');
    writeFileSync(folder.log(trial(0).id), 'one\ntwo\n');
    writeFileSync(folder.log(trial(1).id), 'half a line');
    await showLogs('x', undefined, { follow: false });
    expect(out).toEqual([`${trial(0).id}  one`, `${trial(0).id}  two`, `${trial(1).id}  half a line`]);
    out = [];
    await showLogs('x.yaml', trial(0).id, { follow: false });
    expect(out).toEqual(['one', 'two']);
    await expect(showLogs('x', 'nonsense', { follow: false })).rejects.toMatchObject({ code: 'usage' });
  });

  it('of a run are what its folder has kept', async () => {
    const run = await finishRun(trial(0).experiment, { primary: [1], secondary: [1] });
    writeFileSync(run.file('log.txt'), 'kept\n');
    await showLogs(`x/${run.id}`, undefined, { follow: false });
    expect(out).toEqual(['kept']);
    out = [];
    // The sweep has caught nothing of a trial that was run by hand.
    await showLogs('x', run.id, { follow: true });
    expect(out).toEqual(['kept']);
  });

  it('that are followed go on while a trial is at work, and take up a new one', async () => {
    const folder = new SweepFolder('x');
    const plan = await folder.plan();
    if (plan === undefined) throw new Error('no plan');
    await folder.writePlan({ ...plan, trials: [trial(0)] });
    const run = await failRun(trial(0).experiment, 'out_of_memory');
    const status = await run.status();
    if (status === undefined) throw new Error('no status');
    await run.writeStatus({ ...status, status: 'running', code: null, process: thisProcess() });
    writeFileSync(folder.log(trial(0).id), 'one\n');
    const following = showLogs('x', undefined, { follow: true });
    await vi.waitUntil(() => out.length === 1);
    await folder.writePlan(plan);
    writeFileSync(folder.log(trial(1).id), 'of another\n');
    await vi.waitUntil(() => out.length === 2, { timeout: 5000 });
    appendFileSync(folder.log(trial(0).id), 'two\n');
    await run.writeStatus(status);
    expect(await following).toBe(0);
    expect(out).toEqual([`${trial(0).id}  one`, `${trial(1).id}  of another`, `${trial(0).id}  two`]);
  });

  it('that are followed end when nobody is at work', async () => {
    writeFileSync(new SweepFolder('x').log(trial(0).id), 'one\n');
    expect(await showLogs('x', undefined, { follow: true })).toBe(0);
    expect(out).toEqual([`${trial(0).id}  one`]);
  });
});
