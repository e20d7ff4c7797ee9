/** The mean pose distance of the training quintuples, over at most `mostAveraged` samples or couples. */
import type { Dataset } from '../contracts/dataset.ts';
import { drawSamples } from './draw-samples.ts';
import { mostAveraged, type Pairing } from './pairs.ts';
import { poseDistance } from './pose-distance.ts';
import type { Couples } from './quintuples.ts';
import { numPoints, readPointsAt, type Samples } from './samples.ts';

interface Weighted {
  sum: number;
  weights: number;
}

type Add = (a: number, b: number) => void;

/** Adds the distance of two rows, out of `rows`, once for each of their quintuples. */
const adderOf = async (
  samples: Samples,
  rows: Int32Array,
  { captions, image_size }: Dataset,
  mean: Weighted,
): Promise<Add> => {
  const { visible, caption_hash, table } = samples;
  const points = await readPointsAt(table, rows);
  const starts = new Map(Array.from(rows, (row, place) => [row, place * 2 * numPoints]));
  return (a, b) => {
    const shared = (visible[a] as number) & (visible[b] as number);
    const distance = poseDistance(points, starts.get(a) ?? 0, starts.get(b) ?? 0, shared, image_size);
    if (distance === undefined) return;
    const weight = captions === 'swap' || caption_hash[a] === caption_hash[b] ? 1 : 2;
    mean.sum += weight * distance;
    mean.weights += weight;
  };
};

const overCombinations = (rows: Int32Array, add: Add): void => {
  for (let i = 0; i < rows.length; i += 1)
    for (let j = i + 1; j < rows.length; j += 1) add(rows[i] as number, rows[j] as number);
};

const overCouples = ({ length, first, second }: Couples, add: Add): void => {
  for (let i = 0; i < length; i += 1) add(first[i] as number, second[i] as number);
};

const rowsIn = ({ first, second }: Couples): Int32Array => Int32Array.from(new Set([...first, ...second])).sort();

/** Fraction of the image side; 0 where there is no pair. Raises `corrupt_file`. */
export const meanDistance = async (
  samples: Samples,
  dataset: Dataset,
  seed: number,
  { paired, first }: Pairing,
): Promise<number> => {
  const mean: Weighted = { sum: 0, weights: 0 };
  if (dataset.pairs === 'all-combinations') {
    const rows = drawSamples(samples, paired, mostAveraged, seed, 'mean pose distance');
    overCombinations(rows, await adderOf(samples, rows, dataset, mean));
  } else overCouples(first, await adderOf(samples, rowsIn(first), dataset, mean));
  return mean.sum / Math.max(mean.weights, 1);
};
