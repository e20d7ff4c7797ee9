import type { Item } from '../contracts/assembled.ts';
import type { Split } from '../contracts/dataset.ts';
import type { PictureSource } from '../contracts/sources.ts';
import { PosetwinError } from '../errors.ts';
import { readNumbers } from './columns.ts';
import type { Unnumbered } from './mini-source.ts';
import { SeededMix } from './mix.ts';
import type { Table } from './parquet.ts';
import { heldOutBelow } from './split-groups.ts';

export type PictureItem = Omit<Extract<Item, { kind: 'picture' }>, 'id'>;

/** The rows of a list of pictures by split, each in random order; and which bring a caption. */
export interface Listed {
  /** of each row of a split its rank, rising; `random.unrank` tells the row */
  ranks: Record<Split, Uint32Array>;
  random: SeededMix;
  has_caption: Uint8Array;
}

/** The same groups are held out wherever the source stands and lies, so that no set sees them in both splits. */
const readHeldOut = async (table: Table, seed: number): Promise<Uint8Array> => {
  const random = new SeededMix(seed, 'split groups');
  const ranks = await readNumbers(table, 'group_hash', new Float64Array(table.num_rows));
  for (let row = 0; row < ranks.length; row += 1) ranks[row] = random.fraction(ranks[row] as number);
  const end = heldOutBelow(ranks);
  // A loop: `from` and `map` of ten million numbers to another type go through a list of them.
  const heldOut = new Uint8Array(ranks.length);
  for (let row = 0; row < ranks.length; row += 1) heldOut[row] = Number((ranks[row] as number) < end);
  return heldOut;
};

const ranksOf = (heldOut: Uint8Array, wanted: 0 | 1, random: SeededMix): Uint32Array => {
  const ranks = new Uint32Array(heldOut.reduce((sum, is) => sum + Number(is === wanted), 0));
  for (let row = 0, place = 0; row < heldOut.length; row += 1) {
    if (heldOut[row] === wanted) ranks[place++] = random.rank(row);
  }
  return ranks.sort();
};

/** Splits the list of a source. Raises `too_few_samples` where it is empty, `corrupt_file`. */
export const listPictures = async (
  { kind, path }: PictureSource,
  sourceIndex: number,
  table: Table,
  seed: number,
): Promise<Listed> => {
  if (table.num_rows === 0) {
    const hint = 'See its rejected.jsonl for what was found there.';
    throw new PosetwinError('too_few_samples', `${path} holds no picture of a source of kind ${kind}`, {
      file: path,
      hint,
    });
  }
  const heldOut = await readHeldOut(table, seed);
  const random = new SeededMix(seed, 'row', sourceIndex);
  return {
    ranks: { train: ranksOf(heldOut, 0, random), held_out: ranksOf(heldOut, 1, random) },
    random,
    has_caption: await readNumbers(table, 'has_caption', new Uint8Array(table.num_rows)),
  };
};

/** At most `count` rows of one split, by rank; `describe` where a row brings no caption. */
export function* drawPictures(
  { ranks, random, has_caption }: Listed,
  sourceIndex: number,
  split: Split,
  count: number,
): Generator<PictureItem & Unnumbered> {
  for (const rank of ranks[split].subarray(0, count)) {
    const row = random.unrank(rank);
    yield { kind: 'picture', split, source: sourceIndex, row, describe: has_caption[row] === 0 };
  }
}
