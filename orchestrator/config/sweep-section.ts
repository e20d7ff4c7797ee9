/** `sweep` and `slurm` of an experiment file and what `--sweep` adds to them, read and checked. */
import type { Slurm } from '../contracts/slurm.ts';
import { type Sweep, SweepSections, sweepKeys } from '../contracts/sweep.ts';
import { type Diagnostic, diagnosticAt, type Problem } from './diagnostics.ts';
import { fromIssue, issueContext } from './issues.ts';
import { type Override, stepsAt } from './overrides.ts';
import { resolvePaths } from './paths.ts';
import type { Place } from './source-text.ts';
import { didYouMean } from './suggest.ts';
import { type SearchedAxis, searchFaults } from './sweep-search.ts';
import { dotted, findAt, findNearest, type Located, type LocatedMap, placeOf, toValue, withEntry } from './tree.ts';

/** One axis, its values still at their places. */
export interface LocatedAxis extends SearchedAxis {
  /** of `path`, which is dotted, without a last step `config` */
  steps: Override['steps'];
}

export interface SweepSection {
  sweep: Sweep;
  /** null: trials run on this machine */
  slurm: Slurm | null;
  axes: readonly LocatedAxis[];
  /** trials beside those of the axes */
  include: readonly (readonly Override[])[];
  exclude: readonly (readonly Override[])[];
  /** there is `slurm` without `sweep`: the experiment as it is, as a job */
  alone: boolean;
  place: Place;
}

/** More combinations than anybody runs; where there are more, the file means something else. */
const maxCombinations = 100_000;

/** Dotted; `schedule.config` is called `schedule`. */
export const pathOf = ({ steps }: Pick<Override, 'steps'>): string => dotted(steps.map(({ name }) => name));

/** Where a key's text begins, behind its quote if it has one. */
const textPlace = (key: Place, name: string): Place =>
  key.source.text.startsWith(name, key.offset) ? key : { ...key, offset: key.offset + 1 };

const emptyAt = (place: Place): LocatedMap => ({ type: 'map', place, entries: new Map() });

const mapAt = (tree: Located, path: readonly string[], place: Place): LocatedMap => {
  const found = findAt(tree, path)?.node;
  return found?.type === 'map' ? found : emptyAt(place);
};

/** The axes of the command line in place of those of the file, or beside them. */
const withFlags = (tree: LocatedMap, flags: readonly Override[]): LocatedMap =>
  flags.reduce((current, { steps, value }) => {
    const place = steps[0]?.place ?? value.place;
    const [sweep, axes] = [mapAt(current, ['sweep'], place), mapAt(current, ['sweep', 'axes'], place)];
    const changed = withEntry(axes, pathOf({ steps }), { key: place, value });
    const key = sweep.entries.get('axes')?.key ?? place;
    return withEntry(current, 'sweep', { key: place, value: withEntry(sweep, 'axes', { key, value: changed }) });
  }, tree);

const overridesOf = (node: Located | undefined): Override[] =>
  node?.type === 'map'
    ? [...node.entries].map(([path, { key, value }]) => ({ steps: stepsAt(path, textPlace(key, path)), value }))
    : [];

const axesOf = (tree: LocatedMap, { axes }: Sweep): LocatedAxis[] => {
  const given = Object.values(axes);
  return overridesOf(findAt(tree, ['sweep', 'axes'])?.node).map(({ steps, value }, index) => {
    const axis = given[index];
    return {
      path: pathOf({ steps }),
      steps,
      values: value.type === 'list' ? value.items : [],
      range: axis === undefined || Array.isArray(axis) ? null : axis,
      place: steps[0]?.place ?? value.place,
    };
  });
};

const listedIn = (tree: LocatedMap, key: 'include' | 'exclude'): Override[][] => {
  const list = findAt(tree, ['sweep', key])?.node;
  return list?.type === 'list' ? list.items.map(overridesOf) : [];
};

const refusedAxis = ({ path, steps, place }: LocatedAxis): Diagnostic[] => {
  const refuse = (code: Problem['code'], message: string, hint: string) => [
    diagnosticAt(place, { code, message, path: `sweep.axes.${path}`, hint }),
  ];
  const [first] = steps;
  if (steps.some(({ name }) => name === ''))
    return refuse('usage', `\`${path}\` is no dotted path`, 'as in train.learning_rate');
  if (first?.name === 'name')
    return refuse('refused_combination', 'all trials of a sweep share one name', 'leave `name` as it is');
  if (first?.name === 'sweep') return refuse('unknown_key', 'a sweep is no part of its trials', 'sweep something else');
  return [];
};

const unequal = (axes: readonly LocatedAxis[]): Diagnostic[] => {
  const [first, ...others] = axes;
  return others
    .filter(({ values }) => values.length !== first?.values.length)
    .map(({ path, values, place }) =>
      diagnosticAt(place, {
        code: 'refused_combination',
        message: `\`${path}\` has ${values.length} values, \`${first?.path}\` has ${first?.values.length}`,
        path: `sweep.axes.${path}`,
        hint: '`strategy: list` takes axes of equal length side by side; or `strategy: grid`',
      }),
    );
};

const tooMany = (axes: readonly LocatedAxis[], place: Place): Diagnostic[] => {
  const product = axes.reduce((count, { values }) => count * values.length, 1);
  if (product <= maxCombinations) return [];
  const message = `the axes make ${product} combinations; at most ${maxCombinations} are looked at`;
  return [diagnosticAt(place, { code: 'out_of_range', message, path: 'sweep.axes', hint: 'fewer axes or values' })];
};

/** Strategies that could go on for ever. */
const drawing: ReadonlySet<Sweep['strategy']> = new Set(['random', 'bayes']);

const undrawn = (tree: LocatedMap): Diagnostic[] => {
  const message = '`strategy: random` and `bayes` need to know how many trials there may be';
  const place = findNearest(tree, ['sweep', 'strategy']).node.place;
  return [
    diagnosticAt(place, { code: 'missing_key', message, path: 'sweep.max_trials', hint: 'as in `max_trials: 10`' }),
  ];
};

const unknownAxis = (exclusion: Override, axes: readonly LocatedAxis[]): Diagnostic => {
  const path = pathOf(exclusion);
  const known = axes.map(axis => axis.path);
  return diagnosticAt(exclusion.steps[0]?.place ?? exclusion.value.place, {
    code: 'unknown_key',
    message: `the sweep has no axis \`${path}\``,
    path: `sweep.exclude.${path}`,
    hint: didYouMean(path, known, 'its axes'),
  });
};

/** Paths and values of `exclude` that no combination has: they would drop nothing, and nobody would know. */
const idleExclusion = (exclusion: Override, axes: readonly LocatedAxis[]): Diagnostic[] => {
  const path = pathOf(exclusion);
  const axis = axes.find(({ path: known }) => known === path);
  if (axis === undefined) return [unknownAxis(exclusion, axes)];
  const [given, texts] = [textOf(exclusion.value), axis.values.map(textOf)];
  // An axis of the command line may well lack what the file excludes.
  if (texts.includes(given) || axis.place.source.kind === 'flag') return [];
  const message = `the axis \`${path}\` has no value ${given}`;
  const hint = didYouMean(given, texts, 'its values');
  return [diagnosticAt(exclusion.value.place, { code: 'unknown_value', message, path: `sweep.exclude.${path}`, hint })];
};

/** All trials have the same value where no axis gives them others. */
const idleWithin = (tree: LocatedMap, { early_stopping }: Sweep, axes: readonly LocatedAxis[]): Diagnostic[] => {
  const known = axes.map(({ path }) => path);
  return (early_stopping?.within ?? []).flatMap((path, index) => {
    if (known.includes(path)) return [];
    const steps = ['sweep', 'early_stopping', 'within', index];
    return diagnosticAt(findNearest(tree, steps).node.place, {
      code: 'unknown_value',
      message: `the sweep has no axis \`${path}\``,
      path: dotted(steps),
      hint: didYouMean(path, known, 'its axes'),
    });
  });
};

const repeated = (axes: readonly LocatedAxis[]): Diagnostic[] =>
  axes
    .filter(({ path }, index) => axes.findIndex(axis => axis.path === path) < index)
    .map(({ path, place }) =>
      diagnosticAt(place, {
        code: 'duplicate_key',
        message: `the axis \`${path}\` stands here a second time`,
        path: `sweep.axes.${path}`,
        hint: '`schedule.config` says the same as `schedule`: put all values into one axis',
      }),
    );

/** Equal for equal values, whatever their places. */
export const textOf = (node: Located): string => JSON.stringify(toValue(node));

const checkTogether = (tree: LocatedMap, sweep: Sweep, axes: readonly LocatedAxis[], place: Place): Diagnostic[] => [
  ...axes.flatMap(refusedAxis),
  ...(sweep.strategy === 'list' ? unequal(axes) : tooMany(axes, place)),
  ...(drawing.has(sweep.strategy) && sweep.max_trials === null ? undrawn(tree) : []),
  ...searchFaults(tree, sweep, axes),
  ...repeated(axes),
  ...idleWithin(tree, sweep, axes),
  ...listedIn(tree, 'exclude')
    .flat()
    .flatMap(exclusion => idleExclusion(exclusion, axes)),
];

const sectionsOf = (tree: LocatedMap): LocatedMap => ({
  ...tree,
  entries: new Map([...tree.entries].filter(([key]) => sweepKeys.includes(key))),
});

/** The sweep that `tree` and the flags declare; undefined, and reasons in `diagnostics`, where it is refused. */
export const readSection = (
  tree: LocatedMap,
  flags: readonly Override[],
  diagnostics: Diagnostic[],
): SweepSection | undefined => {
  const whole = withFlags(tree, flags);
  const found = findAt(whole, ['sweep']) ?? findAt(whole, ['slurm']);
  if (found === undefined) return undefined;
  const own = resolvePaths(sectionsOf(whole), diagnostics);
  const context = issueContext(SweepSections, own);
  const { data, error } = SweepSections.safeParse(context.value);
  diagnostics.push(...(error?.issues ?? []).flatMap(issue => fromIssue(issue, context)));
  if (data === undefined) return undefined;
  const [axes, place] = [axesOf(own, data.sweep), placeOf(found)];
  const wrong = checkTogether(own, data.sweep, axes, place);
  diagnostics.push(...wrong);
  if (wrong.length > 0) return undefined;
  const alone = !own.entries.has('sweep');
  return { ...data, axes, include: listedIn(own, 'include'), exclude: listedIn(own, 'exclude'), alone, place };
};
