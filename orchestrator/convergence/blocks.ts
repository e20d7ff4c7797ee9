import { generator } from './bootstrap.ts';

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Correlation of neighbours, 0 where negative; fitting a line leaves it about (1 + 4φ)/n too low (Kendall 1954). */
const lagOne = (values: readonly number[]): number => {
  const power = sum(values.map(value => value ** 2));
  const shared = sum(values.slice(1).map((value, index) => value * (values[index] ?? 0)));
  if (power === 0) return 0;
  const phi = shared / power;
  return Math.min(Math.max(phi + (1 + 4 * phi) / values.length, 0), 0.97);
};

/**
 * The block length that is best for the variance of a mean when neighbours are correlated as in an AR(1) process:
 * (3n/2)^⅓·(2φ/(1 − φ²))^⅔ (Politis & White 2004), at most n/3.
 */
export const blockLength = (residuals: readonly number[]): number => {
  const phi = lagOne(residuals);
  const best = Math.cbrt(1.5 * residuals.length) * Math.cbrt((2 * phi) / (1 - phi ** 2)) ** 2;
  return Math.min(Math.max(Math.ceil(best), 1), Math.max(Math.floor(residuals.length / 3), 1));
};

/** Moving-block bootstrap (Künsch 1989): `statistic` of `resamples` series of random blocks of the residuals, ascending. */
export const resampleBlocks = (
  residuals: readonly number[],
  { seed, resamples }: { seed: number; resamples: number },
  statistic: (series: readonly number[]) => number,
): number[] => {
  const random = generator(seed);
  const length = blockLength(residuals);
  // Blocks know nothing of correlations longer than themselves: the first-order loss of variance is made good.
  const factor = Math.sqrt(residuals.length / Math.max(residuals.length - length, 1));
  const draw = (): number[] => {
    const series: number[] = [];
    while (series.length < residuals.length) {
      const start = Math.floor(random() * (residuals.length - length + 1));
      series.push(...residuals.slice(start, start + length));
    }
    return series.slice(0, residuals.length).map(value => value * factor);
  };
  return Array.from({ length: resamples }, () => statistic(draw())).sort((a, b) => a - b);
};
