/** `pairs: all-combinations`: every ordered pair whose people show a common keypoint. Counted here, never listed. */
import type { Dataset, Sample } from '../contracts/dataset.ts';
import { drawSamples } from './draw-samples.ts';
import { poseDistance } from './pose-distance.ts';
import type { SeededHash } from './random.ts';

type Captions = Dataset['captions'];

/** Which keypoints are seen, one bit each. */
const patternOf = ({ keypoints }: Sample): number =>
  keypoints.reduce((bits, [, , seen], index) => (seen > 0 ? bits | (1 << index) : bits), 0);

/** Ordered pairs of different samples that share a keypoint. People show few patterns, so n² steps are not needed. */
const orderedPairs = (samples: readonly Sample[]): number => {
  const counts = new Map<number, number>();
  for (const pattern of samples.map(patternOf)) counts.set(pattern, (counts.get(pattern) ?? 0) + 1);
  let total = 0;
  for (const [p, first] of counts)
    for (const [q, second] of counts) if ((p & q) !== 0) total += first * (p === q ? second - 1 : second);
  return total;
};

const byCaption = (samples: readonly Sample[]): Sample[][] => {
  const groups = new Map<string, Sample[]>();
  for (const sample of samples) {
    const group = groups.get(sample.caption);
    if (group === undefined) groups.set(sample.caption, [sample]);
    else group.push(sample);
  }
  return [...groups.values()];
};

/**
 * How many quintuples all combinations of the samples give: as many as `quintuples` would list. y_A and y_B give one
 * and the same where both pictures have one caption.
 */
export const countCombinations = (samples: readonly Sample[], captions: Captions): number => {
  const ordered = orderedPairs(samples);
  if (captions === 'swap') return ordered;
  const alike = byCaption(samples).reduce((sum, group) => sum + orderedPairs(group), 0);
  return 2 * ordered - alike;
};

/** Up to here the mean is over all pairs, which takes about a second; the manifest's description names this number. */
const mostAveraged = 4000;

/** Mean `poseDistance` over the quintuples of all combinations, or of those of `mostAveraged` samples drawn by seed. */
export const meanCombinationDistance = (
  samples: readonly Sample[],
  captions: Captions,
  imageSize: number,
  random: SeededHash,
): number => {
  const chosen = drawSamples(samples, mostAveraged, random, 'mean pose distance');
  let [sum, weights] = [0, 0];
  for (const [index, a] of chosen.entries())
    for (const b of chosen.slice(index + 1)) {
      const distance = poseDistance(a, b, imageSize);
      if (distance === undefined) continue;
      const weight = captions === 'swap' || a.caption === b.caption ? 1 : 2;
      sum += weight * distance;
      weights += weight;
    }
  return sum / Math.max(weights, 1);
};
