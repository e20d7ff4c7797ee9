/** What `strategy: bayes` needs of a sweep, and its trials: chosen one after the other, each from an axis's values. */
import type { Assignment, Range, Sweep } from '../contracts/sweep.ts';
import { type Diagnostic, diagnosticAt } from './diagnostics.ts';
import type { Place } from './source-text.ts';
import type { Combination } from './sweep-expand.ts';
import { findNearest, type Located, type LocatedMap, toValue } from './tree.ts';

/** As much of an axis as a search looks at: its values, or the range that it has in place of them. */
export interface SearchedAxis {
  path: string;
  values: readonly Located[];
  range: Range | null;
  place: Place;
}

const refuseAxis = ({ path, place }: SearchedAxis, message: string, hint: string): Diagnostic =>
  diagnosticAt(place, { code: 'refused_combination', message, path: `sweep.axes.${path}`, hint });

const rangeFaults = (axis: SearchedAxis, { low, high, log, int }: Range): Diagnostic[] => {
  const refuse = (message: string, hint: string) => [refuseAxis(axis, message, hint)];
  if (low >= high) return refuse(`the range from ${low} to ${high} is empty`, 'low < high');
  if (log && low <= 0) return refuse(`there is no logarithm of ${low}`, '`low` above 0, or without `log`');
  if (int && !(Number.isInteger(low) && Number.isInteger(high)))
    return refuse('a range of whole numbers has whole ends', 'without `int`');
  return [];
};

/** Faults of ranges, and of what a search would have no use for. */
export const searchFaults = (tree: LocatedMap, sweep: Sweep, axes: readonly SearchedAxis[]): Diagnostic[] => {
  const ranges = axes.flatMap(axis => (axis.range === null ? [] : [{ axis, range: axis.range }]));
  if (sweep.strategy !== 'bayes')
    return ranges.map(({ axis }) =>
      refuseAxis(
        axis,
        `a range is nothing that ${sweep.strategy} could take values from`,
        'a list of values, or `strategy: bayes`',
      ),
    );
  const place = findNearest(tree, ['sweep', 'strategy']).node.place;
  const refuse = (path: string, message: string, hint: string) =>
    diagnosticAt(place, { code: 'refused_combination', message, path, hint });
  return [
    ...(axes.length === 0 ? [refuse('sweep.axes', 'a search needs an axis to look along', 'give `axes`')] : []),
    ...(sweep.exclude.length > 0
      ? [refuse('sweep.exclude', 'a search chooses combinations by itself', 'without `exclude`')]
      : []),
    ...ranges.flatMap(({ axis, range }) => rangeFaults(axis, range)),
  ];
};

const numberAt = ({ place }: SearchedAxis, value: number): Located => ({ type: 'scalar', place, value });

const isWithin = ({ low, high, int }: Range, value: unknown): value is number =>
  typeof value === 'number' && value >= low && value <= high && (!int || Number.isInteger(value));

/** A value of the axis as it stands there; undefined where the axis has no such value, or no longer. */
const takenFrom = (axis: SearchedAxis, value: unknown): Located | undefined => {
  if (axis.range !== null) return isWithin(axis.range, value) ? numberAt(axis, value) : undefined;
  const text = JSON.stringify(value);
  return axis.values.find(known => JSON.stringify(toValue(known)) === text);
};

/** The assignment as values of the axes; undefined where it has others, or an axis has none of it. */
export const onAxes = (axes: readonly SearchedAxis[], assignment: Assignment): Combination<Located> | undefined => {
  const taken = axes.flatMap(axis => {
    const value = takenFrom(axis, assignment[axis.path]);
    return value === undefined ? [] : [{ path: axis.path, value }];
  });
  return taken.length === axes.length && Object.keys(assignment).length === axes.length ? taken : undefined;
};

/** The ends of every axis, and each value of a list: what a search may meet, without trying it all. */
export const endsOf = (axes: readonly SearchedAxis[]): Combination<Located>[] => {
  const valuesOf = (axis: SearchedAxis): readonly Located[] =>
    axis.range === null ? axis.values : [numberAt(axis, axis.range.low), numberAt(axis, axis.range.high)];
  const first = axes.flatMap(axis =>
    valuesOf(axis)
      .slice(0, 1)
      .map(value => ({ path: axis.path, value })),
  );
  const others = axes.flatMap(axis =>
    valuesOf(axis)
      .slice(1)
      .map(value => first.map(point => (point.path === axis.path ? { ...point, value } : point))),
  );
  return [first, ...others];
};
