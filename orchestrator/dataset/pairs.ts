import type { Dataset, Split } from '../contracts/dataset.ts';
import { PosetwinError } from '../errors.ts';
import { countCombinations } from './all-combinations.ts';
import { drawGroups } from './couple-groups.ts';
import { pairedRows } from './draw-samples.ts';
import { fitsOf } from './fits.ts';
import { type PairGroup, writePairFile } from './pair-file.ts';
import { type Couples, checkClosedUnderSwap, numQuintuples } from './quintuples.ts';
import { rowsOf, type Samples } from './samples.ts';

/** What came of the pairing. */
export interface Pairing {
  /** listed in pairs.parquet */
  num_couples: Record<Split, number>;
  /** listed or not */
  num_quintuples: Record<Split, number>;
  /** the training rows that were paired, all or those that `captioned-only` drew */
  paired: Int32Array;
  /** the first training couples, by row, at most `mostAveraged`: a draw of all, as couples come in random order */
  first: Couples;
}

/** The mean pose distance is over so many samples or couples; the manifest's description names this number. */
export const mostAveraged = 4000;

const hints: Record<Dataset['pairs'], string> = {
  far: 'Lower dataset.min_distance, or give more pictures.',
  'other-class': 'A pair needs pictures of two classes in which the same joint is seen: give more of them.',
  random: 'A pair needs two pictures in which the same joint is seen: give more pictures of people.',
  'all-combinations': 'A pair needs two pictures in which the same joint is seen: give more pictures of people.',
};

const tooFew = (split: Split, count: number, { pairs }: Dataset): PosetwinError =>
  new PosetwinError('too_few_samples', `${count} ${split} samples give no pair to work with`, {
    path: 'dataset',
    hint: hints[pairs],
  });

const beginning = ({ length, first, second, unlike }: Couples): Couples => {
  const end = Math.min(length, mostAveraged);
  return {
    length: end,
    first: first.slice(0, end),
    second: second.slice(0, end),
    unlike: unlike.filter(place => place < end),
  };
};

const noCouples = (): Couples =>
  beginning({ length: 0, first: new Int32Array(), second: new Int32Array(), unlike: new Int32Array() });

const checkSplit = ({ is_train }: Samples, { first, second }: Couples, split: Split): void => {
  const wanted = Number(split === 'train');
  const mixed = first.findIndex((row, i) => is_train[row] !== wanted || is_train[second[i] as number] !== wanted);
  if (mixed < 0) return;
  throw new PosetwinError('set_not_closed', `pair (${first[mixed]}, ${second[mixed]}) is not of the split ${split}`);
};

/** Draws the couples of a split, checks what they give, counts it into `pairing`, and hands them on by id. */
function* pairsOf(
  split: Split,
  rows: Int32Array,
  count: number,
  { samples, dataset, seed, pairing }: { samples: Samples; dataset: Dataset; seed: number; pairing: Pairing },
): Generator<PairGroup> {
  const { captions } = dataset;
  for (const couples of drawGroups(samples, rows, count, fitsOf(samples, dataset), seed, `pairs ${split}`)) {
    checkSplit(samples, couples, split);
    checkClosedUnderSwap(couples, captions);
    if (split === 'train' && pairing.num_couples.train === 0) pairing.first = beginning(couples);
    pairing.num_couples[split] += couples.length;
    pairing.num_quintuples[split] += numQuintuples(couples.length, couples.unlike.length, captions);
    const idsOf = (those: Int32Array): Int32Array => those.map(row => samples.ids[row] as number);
    if (couples.length > 0) yield { split, a: idsOf(couples.first), b: idsOf(couples.second) };
  }
  if (pairing.num_couples[split] === 0) throw tooFew(split, rows.length, dataset);
}

/**
 * Writes pairs.parquet: as many training couples as asked for, none under `all-combinations`, of which 3,000 pictures
 * make 18 million quintuples: Python makes them from the samples where it needs one; held-out couples one for each
 * picture. Every couple is a function of (seed, its number). Raises `too_few_samples`, `set_not_closed`,
 * `disk_full`.
 */
export const writePairs = async (samples: Samples, dataset: Dataset, seed: number, file: string): Promise<Pairing> => {
  const paired = pairedRows(samples, dataset, seed);
  const heldOut = rowsOf(samples, 'held_out');
  const counts = () => ({ train: 0, held_out: 0 });
  const pairing: Pairing = { num_couples: counts(), num_quintuples: counts(), paired, first: noCouples() };
  const context = { samples, dataset, seed, pairing };
  const listed = dataset.pairs !== 'all-combinations';
  const all = function* (): Generator<PairGroup> {
    if (listed) yield* pairsOf('train', paired, dataset.num_pairs, context);
    yield* pairsOf('held_out', heldOut, heldOut.length, context);
  };
  if (!listed) {
    pairing.num_quintuples.train = countCombinations(samples, paired, dataset.captions);
    if (pairing.num_quintuples.train === 0) throw tooFew('train', paired.length, dataset);
  }
  await writePairFile(file, all());
  return pairing;
};
