import type { Split } from '../contracts/dataset.ts';
import type { Source } from '../contracts/sources.ts';
import { drawSeed, type Unnumbered } from './mini-source.ts';
import type { SeededHash } from './random.ts';
import { splitByRank } from './split.ts';

export type PosesSource = Extract<Source, { kind: 'poses' }>;

/** The rows by split. No path is hashed, so that a table has the same held-out rows wherever it lies or is named. */
export const splitRows = (count: number, random: SeededHash): Record<Split, number[]> =>
  splitByRank(
    Array.from({ length: count }, (_, row) => row),
    row => row,
    random,
  );

/**
 * `count` pictures of one split. When its rows are used up they come again, each with another seed: another figure in
 * another scene.
 */
export function* drawRows(
  { path, layout }: PosesSource,
  sourceIndex: number,
  split: Split,
  count: number,
  rows: readonly number[],
  random: SeededHash,
): Generator<Unnumbered> {
  if (rows.length === 0) return;
  for (let index = 0; index < count; index += 1) {
    const row = rows[index % rows.length] ?? 0;
    yield { kind: 'poses', split, path, layout, row, seed: drawSeed(sourceIndex, split, index, random) };
  }
}
