import { resampleBlocks } from './blocks.ts';
import { type Interval, meanOf, quantile } from './bootstrap.ts';
import type { SeriesPoint } from './series.ts';
import { blockOfCycles, countLevels, lastWindow, type WindowOptions, windowLength, withoutLevels } from './window.ts';

export interface PlateauOptions extends WindowOptions {
  /** probability that the slope's interval is to cover, e.g. 0.95 */
  confidence: number;
  /** the same seed and series give the same answer */
  seed: number;
  resamples?: number;
}

export type PlateauState = 'yes' | 'no' | 'too_short' | 'diverged';

export interface Plateau {
  state: PlateauState;
  /** steps looked at */
  length: number;
  /** change of L_t a step, with its interval; null while too short or not finite */
  slope: Interval | null;
  /** slope over the whole window, relative to the mean loss: what drift the data leave possible */
  relative_change: Interval | null;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const dot = (a: readonly number[], b: readonly number[]): number => sum(a.map((value, i) => value * (b[i] ?? 0)));

const intervalAround = (center: number, sorted: readonly number[], confidence: number): Interval => {
  const tail = (1 - confidence) / 2;
  return { mean: center, low: quantile(sorted, tail), high: quantile(sorted, 1 - tail) };
};

/** Residuals look smaller than the noise by the degrees of freedom that fitting has used up. */
const inflate = (residuals: readonly number[], used: number): number[] => {
  const factor = Math.sqrt(residuals.length / Math.max(residuals.length - used, 1));
  return residuals.map(value => value * factor);
};

/** Least squares of value on step within each t, with the interval of a residual moving-block bootstrap. */
const slopeOf = (points: readonly SeriesPoint[], { confidence, seed, resamples = 1000 }: PlateauOptions): Interval => {
  const x = withoutLevels(points, ({ step }) => step);
  const y = withoutLevels(points, ({ value }) => value);
  const spread = dot(x, x);
  const slope = dot(x, y) / spread;
  const residuals = y.map((value, index) => value - slope * (x[index] ?? 0));
  const noise = inflate(residuals, countLevels(points) + 1);
  const slopes = resampleBlocks(noise, { seed, resamples }, drawn => slope + dot(x, drawn) / spread);
  return intervalAround(slope, slopes, confidence);
};

const scaled = ({ mean, low, high }: Interval, factor: number): Interval => ({
  mean: mean * factor,
  low: low * factor,
  high: high * factor,
});

/** From this multiple of the best cycles on, a rising loss counts as diverged. */
const DIVERGENCE = 10;

const hasBlownUp = (series: readonly SeriesPoint[], cycle: number, slope: Interval): boolean => {
  const block = blockOfCycles(cycle);
  const means = Array.from({ length: Math.floor(series.length / block) }, (_, back) =>
    meanOf(series.slice(series.length - (back + 1) * block, series.length - back * block).map(({ value }) => value)),
  );
  const finite = means.filter(Number.isFinite);
  return slope.low > 0 && (means[0] ?? 0) > DIVERGENCE * Math.min(...finite);
};

/** A relative change over the window that is rounding, not drift. */
const ROUNDING = 1e-12;

const stateOf = (series: readonly SeriesPoint[], slope: Interval, change: number, cycle: number): PlateauState => {
  if (hasBlownUp(series, cycle, slope)) return 'diverged';
  const containsZero = slope.low <= 0 && slope.high >= 0;
  return containsZero || Math.abs(change) <= ROUNDING ? 'yes' : 'no';
};

/**
 * Whether a loss has stopped moving: the confidence interval of its slope over the last whole cycles contains 0.
 * `diverged` where a value in the window is not finite, or where it rises and is ten times its best cycles.
 */
export const plateau = (series: readonly SeriesPoint[], options: PlateauOptions): Plateau => {
  const points = lastWindow(series, options);
  const answer = { length: points.length, slope: null, relative_change: null };
  if (points.some(({ value }) => !Number.isFinite(value))) return { ...answer, state: 'diverged' };
  if (points.length < windowLength(options)) return { ...answer, state: 'too_short' };
  const slope = slopeOf(points, options);
  // Every t was visited once: its level cannot be told from a drift.
  if (Number.isNaN(slope.mean)) return { ...answer, state: 'too_short' };
  const mean = meanOf(points.map(({ value }) => value));
  const span = (points.at(-1)?.step ?? 0) - (points[0]?.step ?? 0);
  const relative_change = mean === 0 ? null : scaled(slope, span / Math.abs(mean));
  const state = stateOf(series, slope, relative_change?.mean ?? Infinity, options.cycle);
  return { ...answer, state, slope, relative_change };
};

/** Mean loss over the last whole cycles with its interval; null where there is no value or one is not finite. */
export const achievedLoss = (series: readonly SeriesPoint[], options: PlateauOptions): Interval | null => {
  const points = lastWindow(series, options);
  if (points.length === 0 || points.some(({ value }) => !Number.isFinite(value))) return null;
  const mean = meanOf(points.map(({ value }) => value));
  const noise = inflate(
    withoutLevels(points, ({ value }) => value),
    countLevels(points),
  );
  const { confidence, seed, resamples = 1000 } = options;
  return intervalAround(
    mean,
    resampleBlocks(noise, { seed, resamples }, drawn => mean + meanOf(drawn)),
    confidence,
  );
};
