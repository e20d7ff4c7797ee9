import type { SeriesPoint } from './series.ts';

export interface WindowOptions {
  /** steps that the test looks at, at least: rounded up to whole cycles */
  window: number;
  /** steps in which every trainable t is visited once; 1 where all steps are alike */
  cycle: number;
}

const LEAST_CYCLES = 2;
const LEAST_STEPS = 20;

/**
 * How many of the last steps are looked at: whole cycles, so that no t weighs more than another, and at least two, so
 * that the level of a t can be told from a drift.
 */
export const windowLength = ({ window, cycle }: WindowOptions): number =>
  Math.max(LEAST_CYCLES, Math.ceil(Math.max(window, LEAST_STEPS) / cycle)) * cycle;

/** Whole cycles of at least LEAST_STEPS: the fewest steps whose mean is more than the noise of one of them. */
export const blockOfCycles = (cycle: number): number => Math.ceil(LEAST_STEPS / cycle) * cycle;

/** The last whole cycles of a series; all of it while it is shorter. */
export const lastWindow = <P>(series: readonly P[], options: WindowOptions): P[] =>
  series.slice(-windowLength(options));

/** Deviations from the mean of their own t: L_t differs by orders of magnitude between the t by design. */
export const withoutLevels = (points: readonly SeriesPoint[], value: (point: SeriesPoint) => number): number[] => {
  const sums = new Map<number, { sum: number; count: number }>();
  for (const point of points) {
    const { sum, count } = sums.get(point.t) ?? { sum: 0, count: 0 };
    sums.set(point.t, { sum: sum + value(point), count: count + 1 });
  }
  return points.map(point => {
    const level = sums.get(point.t);
    return value(point) - (level === undefined ? 0 : level.sum / level.count);
  });
};

/** How many levels `withoutLevels` takes away: degrees of freedom that the residuals have lost. */
export const countLevels = (points: readonly SeriesPoint[]): number => new Set(points.map(({ t }) => t)).size;
