import { describe, expect, it } from 'vitest';
import { meanInterval, pairedBootstrap } from '../../../orchestrator/convergence/bootstrap.ts';

const options = { confidence: 0.95, seed: 7, resamples: 4000 };

describe('bootstrap', () => {
  it('gives nearly the textbook interval of a mean: 1.96 standard errors to each side', () => {
    const values = Array.from({ length: 100 }, (_, index) => index);
    const { mean, low, high } = meanInterval(values, options);
    // Uniform on 0 … 99: standard deviation √((100² - 1) / 12) = 28.866, standard error 2.8866.
    expect(mean).toBe(49.5);
    expect(low).toBeGreaterThan(49.5 - 1.96 * 2.8866 - 0.5);
    expect(low).toBeLessThan(49.5 - 1.96 * 2.8866 + 0.5);
    expect(high).toBeGreaterThan(49.5 + 1.96 * 2.8866 - 0.5);
    expect(high).toBeLessThan(49.5 + 1.96 * 2.8866 + 0.5);
  });

  it('gives the same interval for the same seed, and another one for another', () => {
    const values = [0.137, 5.21, 2.93, 8.07, 3.61, 9.49, 4.33];
    expect(meanInterval(values, options)).toEqual(meanInterval(values, options));
    expect(meanInterval(values, { ...options, seed: 8 })).not.toEqual(meanInterval(values, options));
  });

  it('resamples pairs: a constant difference has no spread, however much the pairs vary', () => {
    const primary = [1, 100, 3, 50, 7];
    const secondary = primary.map(value => value - 2);
    expect(pairedBootstrap(secondary, primary, options)).toEqual({ mean_difference: -2, low: -2, high: -2 });
  });

  it('refuses lists that are not pairs', () => {
    expect(() => pairedBootstrap([1, 2], [1], options)).toThrow(RangeError);
  });
});
