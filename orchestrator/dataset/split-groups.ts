import { heldOutShare } from './split.ts';

const least = 2;

const countDifferent = (sorted: Float64Array): number => {
  let count = 0;
  for (let i = 0; i < sorted.length; i += 1) if (i === 0 || sorted[i] !== sorted[i - 1]) count += 1;
  return count;
};

/**
 * The rank below which a picture is held out. ranks: of each picture's group, alike for all of a group; so a group is
 * in one split. A fifth of the groups is held out, and more until they hold two pictures (a pair), as long as two remain
 * for training.
 */
export const heldOutBelow = (ranks: Float64Array): number => {
  const sorted = ranks.toSorted();
  const share = Math.max(Math.round(countDifferent(sorted) * heldOutShare), 1);
  // Before `start` lie the pictures that are held out, of so many groups.
  for (let start = 0, end = 0, groups = 0; start < sorted.length; start = end, groups += 1) {
    while (end < sorted.length && sorted[end] === sorted[start]) end += 1;
    const enough = groups >= share && start >= least;
    // The first group may leave one picture alone: of two pictures each split gets one.
    if (enough || sorted.length - end < (groups === 0 ? 1 : least)) return sorted[start] as number;
  }
  return Number.POSITIVE_INFINITY;
};
