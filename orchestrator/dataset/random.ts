import { createHash } from 'node:crypto';

/** Counter-based randomness: a number is a function of (seed, what for, index), never of what was drawn before. */
export class SeededHash {
  private readonly seed: number;

  constructor(seed: number) {
    this.seed = seed;
  }

  /** Uniform in 0 … 2^48 - 1. */
  integer(purpose: string, ...indices: readonly (number | string)[]): number {
    const digest = createHash('sha256').update(JSON.stringify([this.seed, purpose, ...indices]));
    return digest.digest().readUIntBE(0, 6);
  }

  /** Uniform in [0, 1). */
  fraction(purpose: string, ...indices: readonly (number | string)[]): number {
    return this.integer(purpose, ...indices) / 2 ** 48;
  }

  /** Uniform in 0 … size - 1; the bias of the remainder is below size / 2^48. */
  below(size: number, purpose: string, ...indices: readonly (number | string)[]): number {
    return this.integer(purpose, ...indices) % size;
  }
}
