import type { Dataset } from '../contracts/dataset.ts';
import { SeededMix } from './mix.ts';
import { rowsOf, type Samples } from './samples.ts';

/** `count` of the rows without repetition, drawn by their ids, in the order in which they stand; all when not more. */
export const drawSamples = (
  { ids }: Samples,
  rows: Int32Array,
  count: number,
  seed: number,
  purpose: string,
): Int32Array => {
  if (rows.length <= count) return rows;
  const random = new SeededMix(seed, purpose);
  const rankOf = (row: number): number => random.rank(ids[row] as number);
  const ranks = new Uint32Array(rows.length);
  for (let i = 0; i < rows.length; i += 1) ranks[i] = rankOf(rows[i] as number);
  const end = ranks.sort()[count] as number;
  return rows.filter(row => rankOf(row) < end);
};

/** The training rows that are paired: all of them, or under `captions: captioned-only` those drawn by the seed. */
export const pairedRows = (samples: Samples, { captions, num_captioned }: Dataset, seed: number): Int32Array => {
  const training = rowsOf(samples, 'train');
  return captions === 'captioned-only' ? drawSamples(samples, training, num_captioned, seed, 'captioned') : training;
};
