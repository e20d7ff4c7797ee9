/** `strategy: bayes`: rounds of a sweep, each with a few trials more, chosen by what those before them have reached. */
import type { LoadedSweep, Search } from '../config/sweep.ts';
import type { Experiment } from '../contracts/experiment.ts';
import type { Assignment, TrialCut } from '../contracts/sweep.ts';
import { PosetwinError } from '../errors.ts';
import { runId } from '../plan/run-id.ts';
import { type Finished, fromValues, toAxes, toValues, type Values } from '../plan/search.ts';
import { chooseRun, SweepFolder } from '../runs/index.ts';
import { exitCodes } from './exit-codes.ts';
import { withFrozen } from './load-frozen.ts';
import { readNumbers } from './run-numbers.ts';
import { type RunSweepOptions, runSweep } from './run-sweep.ts';
import { standingCuts, stateOf } from './trial-state.ts';
import { withServices } from './with-services.ts';

type Loaded = Extract<LoadedSweep, { ok: true }>;

/** What a trial has reached: the secondary's keypoint error, null where it came to none, undefined before its end. */
const reached = async (
  experiment: Experiment,
  cuts: ReadonlyMap<string, TrialCut>,
): Promise<number | null | undefined> => {
  const { run } = chooseRun(experiment, { fresh: false });
  const state = stateOf(await run.status(), cuts.get(runId(experiment)));
  if (state === 'diverged' || state === 'cut') return null;
  return state === 'done' ? ((await readNumbers(run))?.secondary_px ?? null) : undefined;
};

interface Reached {
  values: Values;
  objective: number | null | undefined;
}

/** Of every trial that the search has chosen so far, in the order of its choices. */
const observe = async ({ trials }: Loaded, { name, axes }: Search): Promise<Reached[]> => {
  const plan = await new SweepFolder(name).plan();
  const cuts = plan === undefined ? new Map<string, TrialCut>() : await standingCuts(plan);
  const chosen = trials.flatMap(({ assignment, result }) => {
    const values = toValues(axes, assignment);
    return values === undefined ? [] : [{ values, result }];
  });
  return Promise.all(
    chosen.map(async ({ values, result }) => ({
      values,
      objective: result.ok ? await reached(result.experiment, cuts) : undefined,
    })),
  );
};

/** Where the study, told all of this, would look next. */
export type Suggest = (finished: readonly Finished[], count: number) => Promise<Values[]>;

/** So often a study may suggest nothing but what was tried before. */
const maxTurns = 20;

/** Trials that are not among the finished ones. A study that repeats itself is told the result again, and asked again. */
export const suggestNew = async (
  { axes }: Pick<Search, 'axes'>,
  finished: readonly Finished[],
  count: number,
  suggest: Suggest,
): Promise<Assignment[]> => {
  const textOf = (values: Values) => JSON.stringify(Object.keys(axes).map(path => values[path]));
  const known = new Map(finished.map(trial => [textOf(trial.values), trial]));
  const told = [...finished];
  for (let turn = 0; turn < maxTurns; turn++) {
    const suggested = new Map((await suggest(told, count)).map(values => [textOf(values), values]));
    const fresh = [...suggested].flatMap(([text, values]) => (known.has(text) ? [] : [fromValues(axes, values)]));
    if (fresh.length > 0) return fresh;
    told.push(...[...suggested.keys()].flatMap(text => known.get(text) ?? []));
  }
  return [];
};

const askOptuna =
  ({ axes }: Search, seed: number): Suggest =>
  (finished, count) =>
    withServices(async services => {
      const bridge = await services.bridge();
      const { trials } = await bridge.call('suggest', { axes: toAxes(axes), seed, finished: [...finished], count });
      return trials;
    });

const refuseUntil = (): PosetwinError =>
  new PosetwinError('usage', 'a search needs what its trials reach at their end: --until cannot be had', {
    hint: 'another `sweep.strategy`, or without --until',
  });

const refuseEmpty = ({ name }: Search): PosetwinError =>
  new PosetwinError('usage', `no trial of ${name} has failed: none was chosen so far`, {
    hint: 'without --only-failed',
  });

/** Nothing that a further trial would be kept from by. */
const goesOn: ReadonlySet<number> = new Set([exitCodes.done, exitCodes.not_converged]);

/** What the study is told, and whether something that was chosen is still to end. */
const studyOf = async (loaded: Loaded, search: Search): Promise<{ finished: Finished[]; isOpen: boolean }> => {
  const trials = await observe(loaded, search);
  const finished = trials.flatMap(({ values, objective }) => (objective === undefined ? [] : [{ values, objective }]));
  return { finished, isOpen: finished.length < trials.length };
};

/**
 * A file with `strategy: bayes`: runs what is chosen and not finished, has the study choose up to `slots` more, freezes
 * them into the plan, and so on up to `max_trials`. The same command goes on; the same results lead to the same trials.
 * Answers and raises as `runSweep` does; `missing_package` where there is no Optuna.
 */
export const runSearch = async (search: Search, options: RunSweepOptions, ask?: Suggest): Promise<number> => {
  if (options.until !== undefined) throw refuseUntil();
  const since_ms = Date.now();
  for (;;) {
    const loaded = await withFrozen(search);
    if (!loaded.ok) return runSweep(loaded, options);
    const { finished, isOpen } = await studyOf(loaded, search);
    const wanted = isOpen || options.onlyFailed ? 0 : Math.min(loaded.sweep.slots, search.max_trials - finished.length);
    const suggest = ask ?? askOptuna(search, loaded.sweep.seed);
    const chosen = wanted > 0 ? await suggestNew(search, finished, wanted, suggest) : [];
    const before = loaded.trials.map(({ assignment }) => assignment);
    if (before.length + chosen.length === 0) throw refuseEmpty(search);
    const code = await runSweep(search.withTrials([...before, ...chosen]), { ...options, since_ms });
    const isLast = !isOpen && finished.length + chosen.length >= search.max_trials;
    if (!goesOn.has(code) || options.onlyFailed || isLast || (!isOpen && chosen.length === 0)) return code;
  }
};
