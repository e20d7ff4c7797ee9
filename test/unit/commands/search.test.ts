import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { showPlan } from '../../../orchestrator/commands/plan.ts';
import { runSearch, type Suggest, suggestNew } from '../../../orchestrator/commands/search.ts';
import { validate } from '../../../orchestrator/commands/validate.ts';
import { loadSweep, type Search } from '../../../orchestrator/config/sweep.ts';
import { Sweep } from '../../../orchestrator/contracts/sweep.ts';
import { type Finished, fromValues, type Values } from '../../../orchestrator/plan/search.ts';
import { chooseRun, SweepFolder } from '../../../orchestrator/runs/index.ts';
import { noFlags } from '../../fixtures/run-options.ts';
import { makeWorkspace, type Workspace } from '../config/workspace.ts';

const rateOf = (exponent: number): Values => ({ 'train.learning_rate': 10 ** -exponent });

describe('suggestions', () => {
  const { axes } = Sweep.parse({ axes: { seed: [10, 20, 30] } });
  const finished: Finished[] = [{ values: { seed: 0 }, objective: 5 }];

  it('leave out what is finished, and what is suggested twice', async () => {
    const suggest: Suggest = async () => [{ seed: 2 }, { seed: 0 }, { seed: 2 }];
    expect(await suggestNew({ axes }, finished, 3, suggest)).toEqual([{ seed: 30 }]);
  });

  it('are asked for again where all of them are known, with the known result told once more', async () => {
    const told: number[] = [];
    const suggest: Suggest = async known => {
      told.push(known.length);
      return [{ seed: known.length < 3 ? 0 : 1 }];
    };
    expect(await suggestNew({ axes }, finished, 1, suggest)).toEqual([{ seed: 20 }]);
    expect(told).toEqual([1, 2, 3]);
  });

  it('end where there is nothing new', async () => {
    expect(await suggestNew({ axes }, finished, 1, async () => [{ seed: 0 }])).toEqual([]);
  });
});

describe('a search', () => {
  const text = `name: x
dataset: mini-small
sweep:
  strategy: bayes
  max_trials: 3
  slots: 2
  axes: {train.learning_rate: {low: 1e-6, high: 1e-1, log: true}}
`;
  let workspace: Workspace;
  let file: string;
  const before = process.cwd();
  beforeEach(() => {
    workspace = makeWorkspace();
    process.chdir(workspace.folder);
    file = workspace.write({ 'x.yaml': text });
    vi.spyOn(console, 'error').mockImplementation(() => undefined);
  });
  afterEach(() => {
    vi.restoreAllMocks();
    process.chdir(before);
    workspace.remove();
  });

  const searchIn = (): Search => {
    const loaded = loadSweep(file, { set: [], sweep: [] });
    if (!loaded?.ok || loaded.search === null) throw new Error('no search');
    return loaded.search;
  };
  const frozen = async () => (await new SweepFolder('x').plan())?.trials.map(({ assignment }) => assignment);

  /** Ends the trial before it could start: all that a search needs to go on. */
  const diverge = async (search: Search, values: Values): Promise<void> => {
    const loaded = search.withTrials([fromValues(search.axes, values)]);
    const result = loaded.ok ? loaded.trials[0]?.result : undefined;
    if (!result?.ok) throw new Error('no trial');
    const ended = { started: '', finished: '', report: null, message: null, process: null };
    await chooseRun(result.experiment, { fresh: false }).run.writeStatus({
      status: 'failed',
      code: 'diverged',
      ...ended,
    });
  };

  it('goes on round by round, with what is finished told each time, up to max_trials', async () => {
    const search = searchIn();
    const asked: [Finished[], number][] = [];
    const suggest: Suggest = async (finished, count) => {
      asked.push([[...finished], count]);
      const values = Array.from({ length: count }, (_, index) => rateOf(2 + finished.length + index));
      for (const one of values) await diverge(search, one);
      return values;
    };
    expect(await runSearch(search, noFlags, suggest)).toBe(0);
    const ended = [2, 3].map(exponent => ({ values: rateOf(exponent), objective: null }));
    expect(asked).toEqual([
      [[], 2],
      [ended, 1],
    ]);
    expect(await frozen()).toEqual([2, 3, 4].map(rateOf));
    // The same command: there is nothing to ask for.
    expect(await runSearch(search, noFlags, suggest)).toBe(0);
    expect(asked).toHaveLength(2);
  });

  it('goes on where it was after an edit that allows more trials', async () => {
    const suggest: Suggest = async (finished, count) => {
      const values = Array.from({ length: count }, (_, index) => rateOf(2 + (finished.length + index) / 4));
      for (const one of values) await diverge(searchIn(), one);
      return values;
    };
    await runSearch(searchIn(), noFlags, suggest);
    workspace.write({ 'x.yaml': text.replace('max_trials: 3', 'max_trials: 5') });
    await runSearch(searchIn(), noFlags, suggest);
    expect(await frozen()).toEqual([2, 2.25, 2.5, 2.75, 3].map(rateOf));
  });

  it('needs the ends of its trials, and a trial that could have failed', async () => {
    await expect(runSearch(searchIn(), { ...noFlags, until: 'train' })).rejects.toMatchObject({ code: 'usage' });
    await expect(runSearch(searchIn(), { ...noFlags, onlyFailed: true })).rejects.toMatchObject({ code: 'usage' });
  });

  it('is valid, and has no trial to plan, before it has begun', async () => {
    const out: string[] = [];
    vi.spyOn(console, 'log').mockImplementation((line: string) => void out.push(line));
    expect(await validate([file], { set: [], sweep: [], json: false })).toBe(0);
    expect(await showPlan(file, { set: [], sweep: [], json: false, fresh: false })).toBe(0);
    expect(out[0]).toContain('valid, 3 trials');
    expect(out[1]).toBe('search x: at most 3 trials, none chosen so far');
  });
});
