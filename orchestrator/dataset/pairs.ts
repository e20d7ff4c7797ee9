import type { Dataset, Pair, Sample, Split } from '../contracts/dataset.ts';
import { PosetwinError } from '../errors.ts';
import { countCombinations } from './all-combinations.ts';
import { type Couple, drawCouples } from './draw-pairs.ts';
import { pairedSamples } from './draw-samples.ts';
import { poseDistance } from './pose-distance.ts';
import { SeededHash } from './random.ts';

type Captions = Dataset['captions'];

/**
 * The quintuples of couples, closed under swap (Eq. 8, 39). All first quintuples come before all second ones, so that
 * the first N rows are N different couples. But for `swap` the first prompt describes the target pose B.
 */
export const quintuples = (couples: readonly (readonly [Sample, Sample])[], captions: Captions): Pair[] => {
  const row = (a: Sample, b: Sample, { caption }: Sample): Pair => ({
    a: a.id,
    b: b.id,
    prompt: caption,
    split: a.split,
  });
  const variants: ((a: Sample, b: Sample) => Pair)[] =
    captions === 'swap'
      ? [(a, b) => row(a, b, a), (a, b) => row(b, a, b)]
      : [(a, b) => row(a, b, b), (a, b) => row(b, a, a), (a, b) => row(a, b, a), (a, b) => row(b, a, b)];
  const rows = variants.flatMap(variant => couples.map(([a, b]) => variant(a, b)));
  return [...new Map(rows.map(pair => [keyOf(pair), pair])).values()];
};

const keyOf = ({ a, b, prompt }: Pick<Pair, 'a' | 'b' | 'prompt'>): string => JSON.stringify([a, b, prompt]);

/**
 * Checks Eq. 8 and 39 on the finished set: with (A, B, y_A) also (B, A, y_B), and that no pair mixes the splits.
 * Raises `set_not_closed`.
 */
export const checkClosedUnderSwap = (pairs: readonly Pair[], samples: readonly Sample[]): void => {
  const byId = new Map(samples.map(sample => [sample.id, sample]));
  const known = new Set(pairs.map(keyOf));
  for (const pair of pairs) {
    const [a, b] = [byId.get(pair.a), byId.get(pair.b)];
    if (a === undefined || b === undefined || a.split !== pair.split || b.split !== pair.split) throw notClosed(pair);
    const prompt = pair.prompt === a.caption ? b.caption : a.caption;
    if (!known.has(keyOf({ a: pair.b, b: pair.a, prompt }))) throw notClosed(pair);
  }
};

const notClosed = ({ a, b, prompt }: Pair): PosetwinError =>
  new PosetwinError('set_not_closed', `pair (${a}, ${b}, '${prompt}') has no swapped partner in the set`);

const fitsOf =
  (samples: readonly Sample[], { pairs, min_distance, image_size }: Dataset) =>
  ([i, j]: Couple): boolean => {
    const [a, b] = [samples[i], samples[j]];
    const distance = a === undefined || b === undefined ? undefined : poseDistance(a, b, image_size);
    return distance !== undefined && (pairs !== 'far' || distance >= min_distance);
  };

const tooFew = (split: Split, count: number, { pairs, min_distance }: Dataset): PosetwinError =>
  new PosetwinError('too_few_samples', `${count} ${split} samples give no pair to work with`, {
    path: 'dataset',
    hint:
      pairs === 'far'
        ? `Lower dataset.min_distance (${min_distance}), or give more pictures.`
        : 'A pair needs two pictures in which the same joint is seen: give more pictures of people.',
  });

const listPairs = (
  split: Split,
  own: readonly Sample[],
  count: number,
  dataset: Dataset,
  random: SeededHash,
): Pair[] => {
  const couples = drawCouples(own.length, count, fitsOf(own, dataset), random, `pairs ${split}`);
  if (couples.length === 0) throw tooFew(split, own.length, dataset);
  const pairs = couples.flatMap(([i, j]) => {
    const [a, b] = [own[i], own[j]];
    return a === undefined || b === undefined ? [] : [[a, b] as const];
  });
  return quintuples(pairs, dataset.captions);
};

/** Every combination of 3,000 pictures is 18 million quintuples: Python makes them from the samples where it needs one. */
const trainingPairs = (samples: readonly Sample[], dataset: Dataset, random: SeededHash): Pair[] => {
  const own = pairedSamples(samples, dataset, random);
  if (dataset.pairs !== 'all-combinations') return listPairs('train', own, dataset.num_pairs, dataset, random);
  if (countCombinations(own, dataset.captions) === 0) throw tooFew('train', own.length, dataset);
  return [];
};

/**
 * The quintuples to list: as many training couples as asked for, none under `all-combinations`; held-out ones one for
 * each picture. Raises `too_few_samples`.
 */
export const choosePairs = (samples: readonly Sample[], dataset: Dataset, seed: number): Pair[] => {
  const random = new SeededHash(seed);
  const heldOut = samples.filter(({ split }) => split === 'held_out');
  const pairs = [
    ...trainingPairs(samples, dataset, random),
    ...listPairs('held_out', heldOut, heldOut.length, dataset, random),
  ];
  checkClosedUnderSwap(pairs, samples);
  return pairs;
};
