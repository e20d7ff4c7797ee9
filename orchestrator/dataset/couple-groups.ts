/** The couples of a split, collected to groups by columns: none becomes an object that stays. */
import { drawCouples } from './couples.ts';
import type { Fits } from './fits.ts';
import type { Couples } from './quintuples.ts';
import type { Samples } from './samples.ts';

/** A group of couples is derived from, checked and written at a time. */
const groupSize = 100_000;

/** Rows collected to a group of couples. */
class Collected {
  readonly #captions: Float64Array;
  readonly #first = new Int32Array(groupSize);
  readonly #second = new Int32Array(groupSize);
  readonly #unlike = new Int32Array(groupSize);
  #length = 0;
  #numUnlike = 0;

  constructor({ caption_hash }: Samples) {
    this.#captions = caption_hash;
  }

  get full(): boolean {
    return this.#length === groupSize;
  }

  add(a: number, b: number): void {
    this.#first[this.#length] = a;
    this.#second[this.#length] = b;
    if (this.#captions[a] !== this.#captions[b]) this.#unlike[this.#numUnlike++] = this.#length;
    this.#length += 1;
  }

  /** What was collected since, as views that hold until the next `add`. */
  take(): Couples {
    const [length, numUnlike] = [this.#length, this.#numUnlike];
    [this.#length, this.#numUnlike] = [0, 0];
    const [first, second] = [this.#first.subarray(0, length), this.#second.subarray(0, length)];
    return { length, first, second, unlike: this.#unlike.subarray(0, numUnlike) };
  }
}

/** At most `count` couples of these rows that fit, in groups; a group holds until the next is asked for. */
export function* drawGroups(
  samples: Samples,
  rows: Int32Array,
  count: number,
  fits: Fits,
  seed: number,
  purpose: string,
): Generator<Couples> {
  const fitting = (i: number, j: number): boolean => fits(rows[i] as number, rows[j] as number);
  const collected = new Collected(samples);
  for (const [i, j] of drawCouples(rows.length, count, fitting, seed, purpose)) {
    collected.add(rows[i] as number, rows[j] as number);
    if (collected.full) yield collected.take();
  }
  yield collected.take();
}
