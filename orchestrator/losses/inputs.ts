import { z } from 'zod';
import { PosetwinError } from '../errors.ts';

/** A tensor as JSON: nested lists of finite numbers. */
export type Nested = number | Nested[];
const Nested: z.ZodType<Nested> = z.lazy(() => z.union([z.number(), z.array(Nested)]));

/** (B, …): a batch of anything. */
export const Batch = z.array(Nested).min(1);
/** (B,) */
export const Vector = z.array(z.number()).min(1);
/** One number for all, or one for each. */
export const Scalars = z.union([z.number(), Vector]);
export type Scalars = z.output<typeof Scalars>;
const Unit = z.number().min(0).max(1);
/** Scalars in [0, 1], as α_t and ᾱ_t are. */
export const UnitScalars = z.union([Unit, z.array(Unit).min(1)]);
const Positive = z.number().gt(0);
/** Scalars above 0, as Q is. */
export const PositiveScalars = z.union([Positive, z.array(Positive).min(1)]);
/** (B, N, 2) */
export const Points = z.array(z.array(z.tuple([z.number(), z.number()]))).min(1);
export type Points = z.output<typeof Points>;
/** (B, N), 1 where a keypoint is given in A and in B */
export const Mask = z.array(z.array(z.union([z.literal(0), z.literal(1)]))).min(1);
export type Mask = z.output<typeof Mask>;

/** (B, H, W), 1 where a pixel counts, else 0 */
export const PixelMask = z.array(z.array(z.array(z.union([z.literal(0), z.literal(1)])))).min(1);

export const mismatch = (what: string): PosetwinError =>
  new PosetwinError('wrong_type', `${what} differ in shape`, { hint: 'give all of them the same batch and shape' });

/** Element `index` of a list that has one for each of `count`, or the one number that serves all. */
export const pick = (values: Scalars, index: number, count: number): number => {
  const value = typeof values === 'number' ? values : values[index];
  if (value === undefined || (typeof values !== 'number' && values.length !== count))
    throw mismatch('a list of numbers and its batch');
  return value;
};

export const flatten = (value: Nested): number[] => (typeof value === 'number' ? [value] : value.flatMap(flatten));

/** `combine` on each pair of elements of one sample. */
export const zip = (first: Nested, second: Nested, combine: (a: number, b: number) => number): number[] => {
  if (typeof first === 'number' && typeof second === 'number') return [combine(first, second)];
  if (typeof first === 'number' || typeof second === 'number' || first.length !== second.length)
    throw mismatch('two tensors');
  return first.flatMap((a, index) => zip(a, second[index] ?? [], combine));
};

/** `each` on every sample of two batches. */
export const perSample = <A, B, R>(
  first: A[],
  second: B[],
  each: (a: A, b: B, index: number, count: number) => R,
): R[] => {
  if (first.length !== second.length) throw mismatch('two batches');
  return first.map((a, index) => each(a, second[index] as B, index, first.length));
};

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Mean of the squared differences of one sample's elements. */
export const meanSquare = (first: Nested, second: Nested): number => mean(zip(first, second, (a, b) => (a - b) ** 2));

/** `value` when above 0. Throws `singular_schedule`. */
export const positive = (value: number, what: string): number => {
  if (value > 0) return value;
  throw new PosetwinError('singular_schedule', `${what} is ${value}: the term is infinite`, {
    path: 'schedule.singular',
    hint: 'set `schedule.singular: drop`, or choose another schedule',
  });
};
