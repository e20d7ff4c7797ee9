import { mix32, type SeededMix } from './mix.ts';

const rounds = 6;

/**
 * A permutation of 0 … size - 1 (at most 2^52) that is computed, not stored: a Feistel network on the two digits of a
 * number to the base √size; what it sends beyond the end is sent on until it comes back (cycle walking).
 */
export const permutation = (size: number, random: SeededMix): ((index: number) => number) => {
  const side = Math.max(Math.ceil(Math.sqrt(size)), 1);
  const keys = Uint32Array.from({ length: rounds }, (_, round) => random.word(round));
  const once = (index: number): number => {
    let left = Math.floor(index / side);
    let right = index - left * side;
    for (let round = 0; round < rounds; round += 1) {
      const sum = left + (mix32(right ^ (keys[round] as number)) % side);
      left = right;
      right = sum < side ? sum : sum - side;
    }
    return left * side + right;
  };
  return index => {
    let at = once(index);
    while (at >= size) at = once(at);
    return at;
  };
};
