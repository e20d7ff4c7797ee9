/** Axes → combinations: every one, side by side, or some drawn by a seed. Knows nothing of what the values are. */
import { createHash } from 'node:crypto';
import type { Sweep } from '../contracts/sweep.ts';

export interface Axis<T> {
  path: string;
  values: readonly T[];
}

/** One value of each axis, in the order of the axes. */
export type Combination<T> = readonly { path: string; value: T }[];

export interface Expansion<T> {
  axes: readonly Axis<T>[];
  strategy: Exclude<Sweep['strategy'], 'bayes'>;
  /** of `random`; the draws of one seed come in the same order, however many are asked for */
  seed: number;
  max_trials: number | null;
  isExcluded: (combination: Combination<T>) => boolean;
  /** equal texts for equal values */
  textOf: (value: T) => string;
}

const at = <T>({ path, values }: Axis<T>, index: number): Combination<T> =>
  values.slice(index, index + 1).map(value => ({ path, value }));

/** Every combination; the last axis changes first. */
const grid = <T>(axes: readonly Axis<T>[]): Combination<T>[] =>
  axes.reduce<Combination<T>[]>(
    (combinations, axis) => combinations.flatMap(before => axis.values.map((_, i) => [...before, ...at(axis, i)])),
    [[]],
  );

const sideBySide = <T>(axes: readonly Axis<T>[]): Combination<T>[] =>
  (axes[0]?.values ?? []).map((_, index) => axes.flatMap(axis => at(axis, index)));

/** Sorted by a hash of seed and values: no draw comes twice, and one that is in stays in when an axis grows shorter. */
const shuffled = <T>(combinations: Combination<T>[], { seed, textOf }: Expansion<T>): Combination<T>[] => {
  const keyOf = (combination: Combination<T>) =>
    createHash('sha256')
      .update(JSON.stringify([seed, combination.map(({ path, value }) => [path, textOf(value)])]))
      .digest('hex');
  const keyed = combinations.map(combination => ({ combination, key: keyOf(combination) }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ combination }) => combination);
};

/** The combinations of a sweep, those excluded left out; none where there is no axis. */
export const expand = <T>(expansion: Expansion<T>): Combination<T>[] => {
  const { axes, strategy, max_trials, isExcluded } = expansion;
  if (axes.length === 0) return [];
  const all = strategy === 'list' ? sideBySide(axes) : grid(axes);
  const kept = all.filter(combination => !isExcluded(combination));
  const ordered = strategy === 'random' ? shuffled(kept, expansion) : kept;
  return max_trials === null ? ordered : ordered.slice(0, max_trials);
};
