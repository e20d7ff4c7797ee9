import { describe, expect, it } from 'vitest';
import { achievedLoss, plateau } from '../../../orchestrator/convergence/index.ts';
import { noise, seriesOf } from './series.ts';

const options = { window: 200, cycle: 10, confidence: 0.95, seed: 1, resamples: 300 };
const seeds = Array.from({ length: 60 }, (_, index) => index + 1);
/** L_t differs by two orders of magnitude between the t. */
const level = (t: number) => 0.1 * t ** 2;
const rate = (found: boolean[]) => found.filter(Boolean).length / found.length;

describe('the plateau test', () => {
  it('finds a converged series on a plateau in about 95 % of cases, with white and with correlated noise', () => {
    for (const phi of [0, 0.6]) {
      const states = seeds.map(seed => {
        const drawn = noise(seed, phi);
        return plateau(
          seriesOf(300, 10, (_, t) => level(t) + 0.1 * drawn()),
          options,
        ).state;
      });
      expect(rate(states.map(state => state === 'yes'))).toBeGreaterThan(0.83);
    }
  });

  it('finds a drift of a thousandth of the spread between the t', () => {
    for (const sign of [1, -1]) {
      const drawn = noise(5);
      const series = seriesOf(300, 10, (step, t) => level(t) + (sign * 0.5 * step) / 200 + 0.1 * drawn());
      const found = plateau(series, options);
      expect(found.state).toBe('no');
      expect((found.slope?.mean ?? 0) * 200 * sign).toBeCloseTo(0.5, 1);
      expect(found.slope?.low).toBeLessThan(found.slope?.mean ?? 0);
    }
  });

  it('finds no plateau while a series falls towards its limit', () => {
    const drawn = noise(6);
    const series = seriesOf(200, 10, (step, t) => level(t) * (1 + Math.exp(-step / 80)) + 0.1 * drawn());
    expect(plateau(series, options).state).toBe('no');
  });

  it('tells how much drift a noisy series leaves possible', () => {
    const drawn = noise(9);
    const { relative_change } = plateau(
      seriesOf(200, 10, () => 1 + 0.8 * drawn()),
      options,
    );
    expect((relative_change?.high ?? 0) - (relative_change?.low ?? 0)).toBeGreaterThan(0.4);
  });

  it('calls a series without noise a plateau and gives it an interval of no width', () => {
    const found = plateau(
      seriesOf(200, 1, () => 2),
      { ...options, cycle: 1 },
    );
    expect(found).toMatchObject({ state: 'yes', slope: { mean: 0, low: 0, high: 0 } });
  });

  it('says `too_short` until the window is full, which holds whole cycles and at least two', () => {
    const constant = (length: number, cycle: number) =>
      plateau(
        seriesOf(length, cycle, () => 1),
        { ...options, cycle },
      ).state;
    expect(constant(199, 10)).toBe('too_short');
    expect(constant(200, 10)).toBe('yes');
    expect(constant(209, 70)).toBe('too_short');
    expect(constant(210, 70)).toBe('yes');
    expect(constant(599, 300)).toBe('too_short');
    expect(plateau([], options)).toEqual({ state: 'too_short', length: 0, slope: null, relative_change: null });
  });

  it('says `diverged` for a value that is not finite and for a rise to ten times the best cycle', () => {
    const broken = (value: number) => seriesOf(300, 10, step => (step === 290 ? value : 1));
    for (const value of [Number.NaN, Infinity]) expect(plateau(broken(value), options).state).toBe('diverged');
    expect(
      plateau(
        seriesOf(40, 10, step => (step === 40 ? Number.NaN : 1)),
        options,
      ).state,
    ).toBe('diverged');
    const drawn = noise(2);
    const rising = seriesOf(300, 10, step => Math.exp(step / 60) * (1 + 0.05 * drawn()));
    expect(plateau(rising, options).state).toBe('diverged');
  });

  it('covers the true slope of a drifting series in about 95 % of cases', () => {
    const covered = seeds.map(seed => {
      const drawn = noise(seed + 500, 0.3);
      const series = seriesOf(200, 10, (step, t) => level(t) + 0.004 * step + 0.2 * drawn());
      const { slope } = plateau(series, options);
      return slope !== null && slope.low <= 0.004 && 0.004 <= slope.high;
    });
    expect(rate(covered)).toBeGreaterThan(0.83);
  });

  it('measures a slope per step, not per value: steps that a log has lost do not steepen it', () => {
    const line = seriesOf(300, 1, step => 5 - 0.003 * step);
    const torn = line.filter(({ step }) => step <= 150 || step > 210);
    const found = plateau(torn, { ...options, cycle: 1 });
    expect(found.state).toBe('no');
    expect(found.slope?.mean).toBeCloseTo(-0.003, 12);
    // The last 200 of 240 values: steps 41 to 300, over which the line falls by 0.777 about a mean that a sum gives.
    const mean = torn.slice(-200).reduce((sum, { value }) => sum + value / 200, 0);
    expect(found.relative_change?.mean).toBeCloseTo((-0.003 * 259) / mean, 10);
  });

  it('finds a plateau in a noisy series of whole trajectories in about 95 % of cases', () => {
    const states = seeds.map(seed => {
      const drawn = noise(seed + 900);
      return plateau(
        seriesOf(200, 1, () => 1 + 0.3 * drawn()),
        { ...options, cycle: 1 },
      ).state;
    });
    expect(rate(states.map(state => state === 'yes'))).toBeGreaterThan(0.83);
  });

  it('does not take the noise of single steps for a divergence where a step is a whole cycle', () => {
    // Single values differ a hundredfold, while their level rises by half.
    const states = seeds.slice(0, 20).map(seed => {
      const drawn = noise(seed + 300);
      return plateau(
        seriesOf(400, 1, step => Math.exp(0.9 * drawn()) * (1 + Math.max(step - 200, 0) / 400)),
        { ...options, cycle: 1 },
      ).state;
    });
    expect(states).not.toContain('diverged');
    const drawn = noise(2);
    const rising = seriesOf(400, 1, step => Math.exp(0.9 * drawn()) * Math.exp(step / 60));
    expect(plateau(rising, { ...options, cycle: 1 }).state).toBe('diverged');
  });

  it('forgets a value that was not finite before the window', () => {
    const broken = seriesOf(300, 10, (step, t) => (step === 100 ? Number.NaN : level(t)));
    expect(plateau(broken, options).state).toBe('yes');
    const inside = seriesOf(300, 10, (step, t) => (step === 101 ? Number.NaN : level(t)));
    expect(plateau(inside, options)).toEqual({ state: 'diverged', length: 200, slope: null, relative_change: null });
  });

  it('gives the same answer for the same seed, and for a history resumed in the middle', () => {
    const drawn = noise(4);
    const series = seriesOf(300, 10, (_, t) => level(t) + drawn());
    expect(plateau(series, options)).toEqual(plateau(series, options));
    expect(plateau(series.slice(-200), options).slope).toEqual(plateau(series, options).slope);
  });
});

describe('the achieved loss', () => {
  it('covers the true mean in about 95 % of cases, whatever the spread between the t', () => {
    const truth = seriesOf(10, 10, (_, t) => level(t)).reduce((sum, { value }) => sum + value / 10, 0);
    const covered = seeds.map(seed => {
      const drawn = noise(seed + 100);
      const interval = achievedLoss(
        seriesOf(200, 10, (_, t) => level(t) + 0.3 * drawn()),
        options,
      );
      return interval !== null && interval.low <= truth && truth <= interval.high;
    });
    expect(rate(covered)).toBeGreaterThan(0.83);
  });

  it('is null where there is no number', () => {
    expect(achievedLoss([], options)).toBeNull();
    expect(
      achievedLoss(
        seriesOf(200, 10, () => Number.NaN),
        options,
      ),
    ).toBeNull();
  });
});
