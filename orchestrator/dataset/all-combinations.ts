/** `pairs: all-combinations`: every ordered pair whose people show a common keypoint. Counted here, never listed. */
import type { Captions } from './quintuples.ts';
import { numPoints, type Samples } from './samples.ts';

const allSeen = 2 ** numPoints - 1;

/** Of every pattern, how many people show nothing beyond it: a sum over its subsets, one keypoint at a time. */
const countWithin = (counts: ReadonlyMap<number, number>): Float64Array => {
  const within = new Float64Array(allSeen + 1);
  for (const [pattern, count] of counts) within[pattern] = count;
  for (let bit = 1; bit <= allSeen; bit *= 2) {
    for (let pattern = 0; pattern <= allSeen; pattern += 1) {
      if ((pattern & bit) !== 0) within[pattern] = (within[pattern] as number) + (within[pattern ^ bit] as number);
    }
  }
  return within;
};

/** Who shares nothing with a pattern shows nothing beyond the keypoints that it lacks. */
const sharingOfMany = (counts: ReadonlyMap<number, number>, total: number): ((pattern: number) => number) => {
  const within = countWithin(counts);
  return pattern => total - (within[allSeen ^ pattern] as number);
};

const sharingOfFew =
  (counts: ReadonlyMap<number, number>) =>
  (pattern: number): number => {
    let sum = 0;
    for (const [other, count] of counts) if ((pattern & other) !== 0) sum += count;
    return sum;
  };

/** From so many patterns on the table over all 2^18 is quicker. */
const many = 2000;

/** Ordered pairs of different people that share a keypoint. People show few patterns, so n² steps are not needed. */
const orderedPairs = (patterns: Int32Array): number => {
  const counts = new Map<number, number>();
  for (const pattern of patterns) counts.set(pattern, (counts.get(pattern) ?? 0) + 1);
  const sharing = counts.size < many ? sharingOfFew(counts) : sharingOfMany(counts, patterns.length);
  let total = 0;
  for (const [pattern, count] of counts) if (pattern !== 0) total += count * (sharing(pattern) - 1);
  return total;
};

/** The patterns of those that have one caption, group by group; people alone with theirs are left out. */
function* byCaption({ caption_hash, visible }: Samples, rows: Int32Array): Generator<Int32Array> {
  const sorted = rows.toSorted((a, b) => (caption_hash[a] as number) - (caption_hash[b] as number));
  for (let start = 0, end = 1; start < sorted.length; start = end, end += 1) {
    const caption = caption_hash[sorted[start] as number];
    while (end < sorted.length && caption_hash[sorted[end] as number] === caption) end += 1;
    if (end - start > 1) yield sorted.subarray(start, end).map(row => visible[row] as number);
  }
}

/**
 * How many quintuples all combinations of these rows give. y_A and y_B give one and the same where both pictures have
 * one caption.
 */
export const countCombinations = (samples: Samples, rows: Int32Array, captions: Captions): number => {
  const ordered = orderedPairs(rows.map(row => samples.visible[row] as number));
  if (captions === 'swap') return ordered;
  let alike = 0;
  for (const patterns of byCaption(samples, rows)) alike += orderedPairs(patterns);
  return 2 * ordered - alike;
};
