import type { Split } from '../contracts/dataset.ts';
import type { SeededHash } from './random.ts';

export const heldOutShare = 0.2;

/** How many of `count` members are kept for the evaluation: a fifth, and two (a pair) as soon as there are four. */
const numHeldOut = (count: number): number =>
  Math.max(Math.round(count * heldOutShare), Math.min(2, Math.floor(count / 2)));

/** Each member in exactly one split, by the rank of a seeded hash of what `nameOf` calls it; in that order. */
export const splitByRank = <T>(
  members: readonly T[],
  nameOf: (member: T) => string | number,
  random: SeededHash,
): Record<Split, T[]> => {
  const ranked = members
    .map(member => ({ member, rank: random.integer('split', nameOf(member)) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ member }) => member);
  const heldOut = numHeldOut(members.length);
  return { held_out: ranked.slice(0, heldOut), train: ranked.slice(heldOut) };
};
