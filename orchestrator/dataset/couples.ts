/** Random pairing as a function of (seed, index): no couple is stored, none comes twice. */
import { SeededMix } from './mix.ts';
import { permutation } from './permutation.ts';

/** Two different positions in a list. */
export type Couple = readonly [number, number];

export const numCouples = (size: number): number => (size * (size - 1)) / 2;

/** Couple `index` of (0,1), (0,2), (1,2), (0,3), …, the smaller first. */
export const unrankCouple = (index: number): Couple => {
  let b = Math.floor((1 + Math.sqrt(1 + 8 * index)) / 2);
  // The root is rounded: one step either way mends it.
  if (numCouples(b) > index) b -= 1;
  else if (numCouples(b + 1) <= index) b += 1;
  return [index - numCouples(b), b];
};

/** Couple number `index`, 0 … numCouples(size) - 1, of `size` things in random order and direction. */
export const coupleAt = (size: number, seed: number, purpose: string): ((index: number) => Couple) => {
  const permute = permutation(numCouples(size), new SeededMix(seed, purpose, 'order'));
  const direction = new SeededMix(seed, purpose, 'direction');
  return index => {
    const couple = unrankCouple(permute(index));
    return direction.word(index) % 2 === 0 ? couple : [couple[1], couple[0]];
  };
};

/** So many couples are looked at, at most, when `count` are wanted; of up to 6,300 things it is every one. */
export const mostTries = (count: number): number => 20_000_000 + 50 * count;

/**
 * `count` different unordered couples out of `size` things that `fits` accepts, in random order and direction. Fewer
 * come only when there are not more, or when almost none fits (`mostTries`).
 */
export function* drawCouples(
  size: number,
  count: number,
  fits: (a: number, b: number) => boolean,
  seed: number,
  purpose: string,
): Generator<Couple> {
  const at = coupleAt(size, seed, purpose);
  const end = Math.min(numCouples(size), mostTries(count));
  for (let index = 0, found = 0; index < end && found < count; index += 1) {
    const couple = at(index);
    if (!fits(couple[0], couple[1])) continue;
    found += 1;
    yield couple;
  }
}
