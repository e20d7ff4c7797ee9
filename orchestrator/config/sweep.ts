/** An experiment file with `sweep` → its trials, each loaded as the plain experiment that it is. */
import { dirname, resolve } from 'node:path';
import type { Slurm } from '../contracts/slurm.ts';
import { type Assignment, type Sweep, sweepKeys } from '../contracts/sweep.ts';
import { composeFile } from './compose.ts';
import { type Diagnostic, diagnosticAt, sortDiagnostics } from './diagnostics.ts';
import { refuseTrial, refuseTrials } from './early-stopping-rules.ts';
import type { GroupContext } from './groups.ts';
import { complete, contextIn, fromRefusal, type LoadOptions, type LoadResult } from './load.ts';
import { applyOverrides, type Override, readFlags } from './overrides.ts';
import { sweepDiagnostics } from './sweep-diagnostics.ts';
import { type Combination, expand } from './sweep-expand.ts';
import { endsOf, onAxes } from './sweep-search.ts';
import { pathOf, readSection, type SweepSection, textOf } from './sweep-section.ts';
import { type Located, type LocatedMap, toValue, withEntry } from './tree.ts';

export interface SweepOptions extends LoadOptions {
  /** `path=value,value`, as given to `--sweep`: an axis in place of the file's, or beside them */
  sweep: readonly string[];
}

export interface LoadedTrial {
  assignment: Assignment;
  result: LoadResult;
}

/** What `strategy: bayes` looks for trials in. */
export interface Search {
  /** of the experiments */
  name: string;
  /** dotted path → its values, or its range */
  axes: Sweep['axes'];
  max_trials: number;
  /** the sweep with those `asked` that lie on its axes for trials; the file is not read again */
  withTrials: (asked: readonly Assignment[]) => LoadedSweep;
}

export type LoadedSweep =
  | { ok: true; file: string; sweep: Sweep; slurm: Slurm | null; trials: LoadedTrial[]; search: Search | null }
  | { ok: false; diagnostics: Diagnostic[] };

const isOfSweep = ({ steps: [first] }: Override): boolean => first !== undefined && sweepKeys.includes(first.name);

const isExcluded = ({ exclude }: SweepSection, combination: Combination<Located>): boolean => {
  const texts = new Map(combination.map(({ path, value }) => [path, textOf(value)]));
  return exclude.some(partial => partial.every(override => texts.get(pathOf(override)) === textOf(override.value)));
};

const overridesOf = ({ axes }: SweepSection, combinations: readonly Combination<Located>[]): Override[][] => {
  const steps = new Map(axes.map(axis => [axis.path, axis.steps]));
  return combinations.map(combination =>
    combination.map(({ path, value }) => ({ steps: steps.get(path) ?? [], value })),
  );
};

/** What each trial puts into the experiment; `asked` are those that a search has chosen so far. */
const trialsOf = (section: SweepSection, asked: readonly Assignment[] = []): Override[][] => {
  const { sweep, axes, include, alone } = section;
  const { strategy } = sweep;
  if (alone) return [[]];
  const combinations =
    strategy === 'bayes'
      ? asked.map(assignment => onAxes(axes, assignment)).filter(combination => combination !== undefined)
      : expand<Located>({
          ...sweep,
          strategy,
          axes,
          textOf,
          isExcluded: combination => isExcluded(section, combination),
        });
  return [...overridesOf(section, combinations), ...include.map(overrides => [...overrides])];
};

const depth = ({ steps }: Override): number => steps.length;

/**
 * The order in which one command line of `--set`s would say the same: a whole section before what is in it, so that the
 * axis `schedule` does not wipe out `schedule.num_steps`.
 */
const ordered = (set: readonly Override[], trial: readonly Override[]): Override[] => {
  const isWithin = (override: Override) => trial.some(axis => pathOf(override).startsWith(`${pathOf(axis)}.`));
  const within = set.filter(isWithin);
  return [...set.filter(override => !isWithin(override)), ...trial.toSorted((a, b) => depth(a) - depth(b)), ...within];
};

/** A flag for what an axis decides would do nothing. */
const idleFlags = (set: readonly Override[], { axes }: SweepSection): Diagnostic[] =>
  set
    .filter(override => axes.some(({ path }) => path === pathOf(override)))
    .map(override => {
      const path = pathOf(override);
      const message = `\`--set ${path}\` has no effect: the sweep has an axis \`${path}\``;
      const hint = `--sweep ${path}=… in place of that axis`;
      return diagnosticAt(override.steps[0]?.place ?? override.value.place, {
        code: 'refused_combination',
        message,
        path,
        hint,
      });
    });

const nothingLeft = ({ place }: SweepSection): Diagnostic =>
  diagnosticAt(place, {
    code: 'refused_combination',
    message: 'the sweep has no trial',
    path: 'sweep',
    hint: 'give `axes` or `include`, or exclude less',
  });

const assignmentOf = (overrides: readonly Override[]): Assignment =>
  Object.fromEntries(overrides.map(override => [pathOf(override), toValue(override.value)]));

const loadTrial = (
  tree: LocatedMap,
  file: string,
  set: readonly Override[],
  trial: readonly Override[],
  base: GroupContext,
): LoadedTrial => {
  const context = { ...base, diagnostics: [...base.diagnostics], files: new Set(base.files) };
  return { assignment: assignmentOf(trial), result: complete(tree, file, ordered(set, trial), context) };
};

/** An experiment's tree has lost its `sweep`, where a rule may have its culprit. */
const withSweep = (experiment: LocatedMap, { entries }: LocatedMap): LocatedMap => {
  const sweep = entries.get('sweep');
  return sweep === undefined ? experiment : withEntry(experiment, 'sweep', sweep);
};

type ReadSweep = Extract<LoadedSweep, { ok: true }>;

/** With those trials refused that `early_stopping` could never cut, or all of it where they are too few. */
const underRule = (loaded: ReadSweep, tree: LocatedMap): LoadedSweep => {
  const { file, sweep, trials } = loaded;
  const { early_stopping: rule } = sweep;
  if (rule === null) return loaded;
  const judged = trials.map(({ assignment, result }): LoadedTrial => {
    const refusal = result.ok ? refuseTrial(rule, result.experiment) : undefined;
    if (!result.ok || refusal === undefined) return { assignment, result };
    const diagnostics = [fromRefusal(withSweep(result.tree, tree), refusal, file)];
    return { assignment, result: { ok: false, diagnostics } };
  });
  const experiments = judged.flatMap(({ result }) => (result.ok ? [result.experiment] : []));
  // How many a search will have to compare is not known before.
  const isCounted = experiments.length === judged.length && sweep.strategy !== 'bayes';
  const refusal = isCounted ? refuseTrials(rule, experiments) : undefined;
  if (refusal === undefined) return { ...loaded, trials: judged };
  return { ok: false, diagnostics: [fromRefusal(tree, refusal, file)] };
};

interface Reading {
  path: string;
  tree: LocatedMap;
  section: SweepSection;
  load: (trial: Override[]) => LoadedTrial;
}

/** The search that the section declares, or what is wrong with the experiment at an end of its axes. */
const searchOf = ({ path, tree, section, load }: Reading): Search | Diagnostic[] => {
  const { sweep, slurm, axes } = section;
  const read = (trials: Override[][], search: Search | null) =>
    underRule({ ok: true, file: path, sweep, slurm, trials: trials.map(load), search }, tree);
  const ends = read(overridesOf(section, endsOf(axes)), null);
  const wrong = ends.ok ? sweepDiagnostics(ends.trials, path) : ends.diagnostics;
  const names = ends.ok ? ends.trials.flatMap(({ result }) => (result.ok ? [result.experiment.name] : [])) : [];
  const [name] = names;
  if (name === undefined || wrong.length > 0) return wrong;
  const search: Search = {
    name,
    axes: Object.fromEntries(axes.map(axis => [axis.path, axis.range ?? axis.values.map(toValue)])),
    max_trials: sweep.max_trials ?? 0,
    withTrials: asked => read(trialsOf(section, asked), search),
  };
  return search;
};

/**
 * The trials of `file`; undefined where neither it nor `options.sweep` declares a sweep, and there is no `slurm`. A sweep
 * that is refused is told here, what is wrong with a trial in its own result. `--set sweep.slots=2`,
 * `--set slurm.partition=gpu` and the like change the sweep itself.
 * A search has no trials but those of `include` before it is asked `withTrials`.
 */
export const loadSweep = (file: string, options: SweepOptions): LoadedSweep | undefined => {
  const path = resolve(file);
  const context = contextIn(dirname(path));
  const { diagnostics } = context;
  const composed = composeFile(path, [], context);
  const refused: Diagnostic[] = [];
  const [set, flags] = [readFlags(options.set, '--set', refused), readFlags(options.sweep, '--sweep', refused)];
  if (composed === undefined) return undefined;
  const tree = applyOverrides(composed, set.filter(isOfSweep), context);
  if (!sweepKeys.some(key => tree.entries.has(key)) && options.sweep.length === 0) return undefined;
  const section = readSection(tree, flags, refused);
  const own = set.filter(override => !isOfSweep(override));
  if (section !== undefined) refused.push(...idleFlags(own, section));
  if (section === undefined || refused.length > 0)
    return { ok: false, diagnostics: sortDiagnostics([...diagnostics, ...refused], path) };
  const load = (trial: Override[]) => loadTrial(tree, path, own, trial, context);
  if (section.sweep.strategy === 'bayes') {
    const search = searchOf({ path, tree, section, load });
    return Array.isArray(search) ? { ok: false, diagnostics: search } : search.withTrials([]);
  }
  const trials = trialsOf(section).map(load);
  if (trials.length === 0) return { ok: false, diagnostics: [nothingLeft(section)] };
  const { sweep, slurm } = section;
  return underRule({ ok: true, file: path, sweep, slurm, trials, search: null }, tree);
};
