/** What the trials of a sweep differ in, and their mean where two of these values meet. */

import { labelOf } from '../../config/assignment-text.ts';
import { meanOf } from '../../convergence/bootstrap.ts';
import type { TrialRecord } from './record.ts';

export interface SweepAxis {
  /** dotted path of the experiment */
  path: string;
  /** as they are shown, numbers ascending, all else in the order of the sweep */
  labels: readonly string[];
}

/** The axes with at least two values; the seed repeats a setting and makes none. */
export const axesOf = (trials: readonly Pick<TrialRecord, 'assignment'>[]): SweepAxis[] => {
  const paths = new Set(trials.flatMap(({ assignment }) => Object.keys(assignment)));
  paths.delete('seed');
  return [...paths].flatMap(path => {
    const given = trials.flatMap(({ assignment }) => (path in assignment ? [assignment[path]] : []));
    const values = [...new Map(given.map(value => [labelOf(value), value])).values()];
    if (values.every(value => typeof value === 'number')) values.sort((a, b) => a - b);
    return values.length < 2 ? [] : [{ path, labels: values.map(labelOf) }];
  });
};

/** Each axis with each later one. */
export const pairsOfAxes = (axes: readonly SweepAxis[]): [SweepAxis, SweepAxis][] =>
  axes.flatMap((first, index) => axes.slice(index + 1).map((second): [SweepAxis, SweepAxis] => [first, second]));

export interface Cell {
  x: string;
  y: string;
  value: number;
}

/**
 * The mean of `value` over all trials of two values, whatever the others are; no cell where there is none. A trial that
 * leaves one of the two axes alone (of `include`) has no place.
 */
export const cellsOf = (
  trials: readonly TrialRecord[],
  [first, second]: readonly [SweepAxis, SweepAxis],
  value: (trial: TrialRecord) => number | null,
): Cell[] => {
  const placed = trials.flatMap(trial => {
    const [found, { assignment }] = [value(trial), trial];
    const isPlaced = found !== null && first.path in assignment && second.path in assignment;
    return isPlaced ? [{ x: labelOf(assignment[first.path]), y: labelOf(assignment[second.path]), found }] : [];
  });
  return first.labels.flatMap(x =>
    second.labels.flatMap(y => {
      const values = placed.filter(cell => cell.x === x && cell.y === y).map(({ found }) => found);
      return values.length === 0 ? [] : [{ x, y, value: meanOf(values) }];
    }),
  );
};
