import type { SeededHash } from './random.ts';

/** Two different positions in a list. */
export type Couple = readonly [number, number];

const keyOf = ([a, b]: Couple): string => (a < b ? `${a} ${b}` : `${b} ${a}`);

/** Up to here every couple is listed, so that the count can be exact; beyond, couples are drawn until enough fit. */
const listable = 200_000;
const triesPerCouple = 200;

const allCouples = (size: number, random: SeededHash, purpose: string): Couple[] => {
  const couples: { couple: Couple; rank: number }[] = [];
  for (let a = 0; a < size; a += 1)
    for (let b = a + 1; b < size; b += 1) {
      const rank = random.integer(purpose, a, b);
      couples.push({ couple: rank % 2 === 0 ? [a, b] : [b, a], rank });
    }
  return couples.sort((x, y) => x.rank - y.rank).map(({ couple }) => couple);
};

const drawn = (size: number, random: SeededHash, purpose: string, index: number): Couple => {
  const a = random.below(size, purpose, 'first', index);
  const b = random.below(size - 1, purpose, 'second', index);
  return [a, b < a ? b : b + 1];
};

/**
 * At most `count` different unordered couples out of `size` things that `fits` accepts, in random order and direction.
 * Fewer come back only when there are not more, or when almost none fits.
 */
export const drawCouples = (
  size: number,
  count: number,
  fits: (couple: Couple) => boolean,
  random: SeededHash,
  purpose: string,
): Couple[] => {
  if (size < 2) return [];
  if ((size * (size - 1)) / 2 <= Math.min(listable, 8 * count)) {
    return allCouples(size, random, purpose).filter(fits).slice(0, count);
  }
  const chosen = new Map<string, Couple>();
  for (let index = 0; chosen.size < count && index < count * triesPerCouple; index += 1) {
    const couple = drawn(size, random, purpose, index);
    if (!chosen.has(keyOf(couple)) && fits(couple)) chosen.set(keyOf(couple), couple);
  }
  return [...chosen.values()];
};
