/** A mean and its percentile bootstrap interval. */
export interface Interval {
  mean: number;
  low: number;
  high: number;
}

export interface BootstrapOptions {
  /** Probability that the interval is to cover, e.g. 0.95. */
  confidence: number;
  /** The same seed and values give the same interval. */
  seed: number;
  resamples?: number;
}

/** Mulberry32: uniform in [0, 1), a full period of 2^32, enough for resampling and the same on every machine. */
export const generator = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

const withInterval = (mean: number, resampled: number[], confidence: number): Interval => {
  resampled.sort((a, b) => a - b);
  const tail = (1 - confidence) / 2;
  return { mean, low: quantile(resampled, tail), high: quantile(resampled, 1 - tail) };
};

const resampledMean = (values: readonly number[], random: () => number): number => {
  let sum = 0;
  for (let draw = 0; draw < values.length; draw++) sum += values[Math.floor(random() * values.length)] ?? 0;
  return sum / values.length;
};

/** The `fraction` quantile of ascending values, linear between neighbours. */
export const quantile = (sorted: readonly number[], fraction: number): number => {
  const place = fraction * (sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
};

/**
 * Mean of `values` with the percentile interval of its bootstrap distribution (Efron, 1979). All three are NaN when
 * there is no value.
 */
export const meanInterval = (values: readonly number[], options: BootstrapOptions): Interval => {
  const random = generator(options.seed);
  const means = Array.from({ length: options.resamples ?? 2000 }, () => resampledMean(values, random));
  return withInterval(meanOf(values), means, options.confidence);
};

const refuseUnpaired = (a: readonly number[], b: readonly number[]): void => {
  if (a.length !== b.length) throw new RangeError(`${a.length} and ${b.length} values are not pairs`);
};

/**
 * Mean of `a[i] - b[i]` with its interval: the pairs are resampled, not the two lists apart from each other, since both
 * numbers of a pair come from one prompt, one noise and one pose. Throws a RangeError when the lengths differ.
 */
export const pairedBootstrap = (
  a: readonly number[],
  b: readonly number[],
  options: BootstrapOptions,
): { mean_difference: number; low: number; high: number } => {
  refuseUnpaired(a, b);
  const differences = a.map((value, index) => value - (b[index] ?? Number.NaN));
  const { mean, low, high } = meanInterval(differences, options);
  return { mean_difference: mean, low, high };
};

/** Mean of `a` over mean of `b` with its interval, pairs resampled; null where the mean of `b` is 0. */
export const ratioInterval = (
  a: readonly number[],
  b: readonly number[],
  options: BootstrapOptions,
): Interval | null => {
  refuseUnpaired(a, b);
  if (b.length === 0 || meanOf(b) === 0) return null;
  const random = generator(options.seed);
  const ratios = Array.from({ length: options.resamples ?? 2000 }, () => {
    const picks = a.map(() => Math.floor(random() * a.length));
    const [above, below] = [a, b].map(values => picks.reduce((sum, pick) => sum + (values[pick] ?? Number.NaN), 0));
    return (above ?? Number.NaN) / (below ?? Number.NaN);
  });
  return withInterval(meanOf(a) / meanOf(b), ratios, options.confidence);
};
