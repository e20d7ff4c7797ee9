/** Toy problems whose answers are known without the code under test: audit, points 2, 3, 4 and 5. */
import { describe, expect, it } from 'vitest';
import { type LoggedStep, verdict } from '../../../orchestrator/convergence/index.ts';
import { listed, measuredAt, numberOf, pointOf, row, verdictOptions } from './audit-input.ts';
import { noise, uniform } from './series.ts';

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** One picture of the toy world: where the primary puts A, where B_0 asks for, and with which probability. */
interface Draw {
  a: number;
  b_0: number;
  share: number;
}

const expected = (draws: readonly Draw[], value: (draw: Draw) => number): number =>
  draws.reduce((sum, draw) => sum + draw.share * value(draw), 0);

/** The b of least E[Q(b − b_0)² + (b − a)²] over some pictures, by gradient descent from 0. */
const descend = (draws: readonly Draw[], q: number): number => {
  const total = draws.reduce((sum, { share }) => sum + share, 0);
  const slope = (b: number) => expected(draws, ({ a, b_0 }) => 2 * q * (b - b_0) + 2 * (b - a)) / total;
  let b = 0;
  for (let round = 0; round < 400; round++) b -= (0.3 / (q + 1)) * slope(b);
  return b;
};

/** The terms of training steps whose adapter gives `b`; the primary is perfect: a is the given A_0. */
const stepsAt = (draws: readonly Draw[], b: (draw: Draw) => number): LoggedStep[] => {
  const distance = expected(draws, ({ a, b_0 }) => (b_0 - a) ** 2);
  const terms = {
    target_pose: expected(draws, draw => (b(draw) - draw.b_0) ** 2),
    pose_residual: expected(draws, draw => (b(draw) - draw.a) ** 2),
    delta_l: distance,
    lower_bound_distance: distance,
  };
  return Array.from({ length: 40 }, (_, index) => ({ step: index + 1, visits: [{ t: 1, terms, loss: null }] }));
};

const judge = (steps: LoggedStep[], q: number) => verdict(steps, q, { ...verdictOptions, window: 40, cycle: 1 });

/** b_0 is −1, 0.5 or 2; a lies about a centre that depends on b_0, with another variance for each. */
const world: Draw[] = [
  { b_0: -1, share: 0.5, centre: 0, spread: 0.3 },
  { b_0: 0.5, share: 0.3, centre: 0.7, spread: 1.1 },
  { b_0: 2, share: 0.2, centre: -0.4, spread: 0.6 },
].flatMap(({ b_0, share, centre, spread }) => [
  { b_0, a: centre - spread, share: share / 2 },
  { b_0, a: centre + spread, share: share / 2 },
]);
/** E Var(a | b_0): half of each kind lies one spread to either side. */
const conditionalVariance = 0.5 * 0.3 ** 2 + 0.3 * 1.1 ** 2 + 0.2 * 0.6 ** 2;
const distance = expected(world, ({ a, b_0 }) => (b_0 - a) ** 2);

describe('audit, point 2: the least loss of a one-dimensional toy world', () => {
  it.each([1, 7, 30.3, 2007])('is L* = Q/(Q + 1)·E(b_0 − a)² where b may depend on a and b_0: Q = %d', q => {
    const best = new Map(world.map(draw => [draw, descend([draw], q)]));
    const found = judge(
      stepsAt(world, draw => best.get(draw) ?? Number.NaN),
      q,
    );
    expect(found.lower_bound).toBeCloseTo((q / (q + 1)) * distance, 12);
    expect(found.achieved?.mean).toBeCloseTo((q / (q + 1)) * distance, 9);
    expect(found.error_to_lower_bound).toBeCloseTo(0, 9);
    expect(found.error_to_delta_l).toBeCloseTo(-1 / (q + 1), 9);
    expect(found.converged).toBe(true);
  });

  it.each([1, 7, 30.3, 2007])('is L* + E Var(a | b_0)/(Q + 1) where b never sees A_0: Q = %d', q => {
    const best = new Map(
      world.map(({ b_0 }) => [
        b_0,
        descend(
          world.filter(draw => draw.b_0 === b_0),
          q,
        ),
      ]),
    );
    const found = judge(
      stepsAt(world, ({ b_0 }) => best.get(b_0) ?? Number.NaN),
      q,
    );
    expect((found.achieved?.mean ?? 0) - (found.lower_bound ?? 0)).toBeCloseTo(conditionalVariance / (q + 1), 9);
    expect(found.achieved?.mean).toBeLessThan(found.delta_l ?? 0);
  });

  it('cannot be beaten by any b, tried on a grid', () => {
    const q = 7;
    for (const draw of world) {
      const grid = Array.from({ length: 801 }, (_, index) => -2 + index / 200);
      const losses = grid.map(b => judge(stepsAt([{ ...draw, share: 1 }], () => b).slice(0, 1), q));
      const least = Math.min(...losses.map(({ achieved }) => achieved?.mean ?? Number.NaN));
      const bound = losses[0]?.lower_bound ?? Number.NaN;
      expect(least).toBeGreaterThanOrEqual(bound - 1e-12);
      // A grid of 0.005 misses the best b by at most 0.0025.
      expect(least).toBeLessThanOrEqual(bound + (q + 1) * 0.0025 ** 2 + 1e-12);
    }
  });

  it('lies 0.04 % below ΔL at Q ≈ 1,250 where b never sees A_0 and the poses are independent', () => {
    const independent = [-1, 1].flatMap(a => [-1, 1].map(b_0 => ({ a, b_0, share: 0.25 })));
    const q = 1249;
    const best = new Map(
      [-1, 1].map(b_0 => [
        b_0,
        descend(
          independent.filter(draw => draw.b_0 === b_0),
          q,
        ),
      ]),
    );
    const found = judge(
      stepsAt(independent, ({ b_0 }) => best.get(b_0) ?? Number.NaN),
      q,
    );
    // E(b_0 − a)² = 2 and Var(a) = 1: 1 − 1/(2(Q + 1)) = 0.9996.
    expect(found.error_to_delta_l).toBeCloseTo(-0.0004, 10);
  });

  it('is told with these numbers, as no error and no proof', () => {
    const q = 9;
    const steps = stepsAt(world, draw => descend([draw], q));
    const point = pointOf(2, { steps, verdict: judge(steps, q) });
    expect(numberOf(point, 'lower_bound')).toBeCloseTo((9 / 10) * distance, 12);
    expect(numberOf(point, 'achieved')).toBeCloseTo((9 / 10) * distance, 9);
    expect(numberOf(point, 'gap')).toBeCloseTo(1 / 10, 12);
    expect(point.verdict).toBe('caution');
    expect(point.sentence).toContain('10 % below ΔL');
  });
});

describe('audit, point 3: an adversary who keeps the loss and spoils the pose', () => {
  /** b = b_0 + s·(a − b_0): beyond b* on the way to a, where the triangle of the bound is flat. */
  const towardsA = (s: number) => stepsAt(world, ({ a, b_0 }) => b_0 + s * (a - b_0));

  it.each([0.2, 0.5, 1, 1.7])('reaches the bound exactly on the way from b* to a and beyond: s = %d', s => {
    const found = judge(towardsA(s), 7);
    expect(found.pose_error).toBeCloseTo(s, 12);
    expect(found.pose_bound).toBeCloseTo(s, 12);
  });

  it('stays below the bound anywhere else', () => {
    for (const s of [-0.5, -0.01, 0, 0.1]) {
      const { pose_error, pose_bound } = judge(towardsA(s), 7);
      expect(pose_error).toBeLessThan(pose_bound ?? 0);
    }
  });

  it('finds 6.4 % of the pose distance at Q = 30.3 with a loss only 0.04 % above ΔL, and 0.12 % at Q = 2,007', () => {
    for (const [q, bound] of [
      [30.3, 0.0641],
      [2007, 0.00117],
    ] as const) {
      const losses = Array.from({ length: 20_000 }, (_, index) => (index * bound * 1.2) / 20_000);
      const reach = Math.max(...losses.filter(s => q * s ** 2 + (1 - s) ** 2 <= 1.0004));
      expect(reach / bound).toBeCloseTo(1, 2);
      const found = judge(towardsA(reach), q);
      expect(found.error_to_delta_l).toBeLessThanOrEqual(0.0004);
      expect(found.pose_bound).toBeCloseTo(reach, 10);
    }
  });

  it('is never beaten by random pictures, whatever they are', () => {
    const random = uniform(77);
    for (let round = 0; round < 300; round++) {
      const offsets = world.map(() => 4 * (random() - 0.5));
      const q = 10 ** (4 * random() - 0.5);
      const { pose_error, pose_bound } = judge(
        stepsAt(world, draw => draw.b_0 + (offsets[world.indexOf(draw)] ?? 0)).slice(0, 1),
        q,
      );
      expect(pose_error).toBeLessThanOrEqual((pose_bound ?? 0) * (1 + 1e-12));
    }
  });

  it('is told as fine where the bound is below a tenth of the distance, else with caution', () => {
    const near = judge(towardsA(0.05), 30);
    expect(pointOf(3, { verdict: near })).toMatchObject({ verdict: 'fine', numbers: { pose_bound: near.pose_bound } });
    const far = pointOf(3, { verdict: judge(towardsA(0.2), 30) });
    expect(far.verdict).toBe('caution');
    expect(far.sentence).toContain('at most 20 %');
  });
});

/** α = 0.9, 0.8, 0.5: ᾱ = 0.9, 0.72, 0.36, so that 1/(1 − ᾱ) is 10, 1/0.28 and 1/0.64. */
const three = listed([0.9, 0.8, 0.5]);
const scoreWeights = [10, 1 / 0.28, 1 / 0.64];

describe('audit, point 4: ‖x − y‖² <= ‖x‖² + ‖y‖² for errors of known correlation', () => {
  const powers = [0.3, 0.5, 2];
  const weighted = mean(powers.map((power, index) => power * (scoreWeights[index] ?? 0)));
  const at = (correlation: number) =>
    pointOf(4, {
      table: three,
      measured: measuredAt(
        powers.map((power, index) =>
          row(index + 1, { noise_error_a: power, noise_error_b: power, inner_product: correlation * power }),
        ),
      ),
    });

  it('has 0 on its left where y = x, and holds', () => {
    const point = at(1);
    expect(numberOf(point, 'left')).toBeCloseTo(0, 12);
    expect(numberOf(point, 'right')).toBeCloseTo(2 * weighted, 12);
    expect(point.verdict).toBe('fine');
  });

  it('has twice its right side on its left where y = −x, and fails', () => {
    const point = at(-1);
    expect(numberOf(point, 'left')).toBeCloseTo(4 * weighted, 12);
    expect(numberOf(point, 'right')).toBeCloseTo(2 * weighted, 12);
    expect(numberOf(point, 'inner_product')).toBeCloseTo(-weighted, 12);
    expect(point.verdict).toBe('fails');
    expect(point.sentence).toContain('does not hold');
  });

  it('has left = 2(1 − ρ) against right = 2 for correlation ρ', () => {
    for (const rho of [0.8, 0.2, -0.3])
      expect(numberOf(at(rho), 'left') / numberOf(at(rho), 'right')).toBeCloseTo(1 - rho, 12);
  });

  it('has equal sides for independent errors, within sampling', () => {
    const [count, x, y] = [20_000, noise(31), noise(32)];
    const sampled = powers.map((power, index) => {
      const draws = Array.from({ length: count }, () => [Math.sqrt(power) * x(), Math.sqrt(power) * y()] as const);
      return row(index + 1, {
        noise_error_a: mean(draws.map(([first]) => first ** 2)),
        noise_error_b: mean(draws.map(([, second]) => second ** 2)),
        inner_product: mean(draws.map(([first, second]) => first * second)),
      });
    });
    const point = pointOf(4, { table: three, measured: measuredAt(sampled) });
    // The mean of 20,000 products has a standard error of power/√20,000; five of them, weighted alike.
    const error = (5 * Math.hypot(...powers.map((power, i) => power * (scoreWeights[i] ?? 0)))) / 3 / Math.sqrt(count);
    expect(Math.abs(numberOf(point, 'inner_product'))).toBeLessThan(error);
    expect(Math.abs(numberOf(point, 'right') - 2 * weighted)).toBeLessThan(2 * Math.SQRT2 * error);
    expect(numberOf(point, 'right') - numberOf(point, 'left')).toBeCloseTo(2 * numberOf(point, 'inner_product'), 12);
  });

  it('weighs each t by 1/(1 − ᾱ_t): one clean step may outweigh two noisy ones', () => {
    const inner = (products: number[]) =>
      pointOf(4, {
        table: three,
        measured: measuredAt(
          products.map((inner_product, i) => row(i + 1, { noise_error_a: 3, noise_error_b: 3, inner_product })),
        ),
      });
    // 10·1 − 2/0.28 + 0 = 2.857 although 1 − 2 < 0; and the other way round.
    expect(numberOf(inner([1, -2, 0]), 'inner_product')).toBeCloseTo((10 - 2 / 0.28) / 3, 12);
    expect(inner([1, -2, 0]).verdict).toBe('fine');
    expect(inner([-1, 2, 0]).verdict).toBe('fails');
  });
});

describe('audit, point 5: E[XY] <= E[X]E[Y] on two t', () => {
  /** α = 0.9, 0.5: X = 2α/(1 − α) is 18 and 2; w = (1 − α)/(2α(1 − ᾱ)) is 1/1.8 and 1/1.1. */
  const two = listed([0.9, 0.5]);
  const weights = [1 / 1.8, 1 / 1.1];
  /** Rows whose Y = w(t)(‖x‖² + ‖y‖²) is as given, parted unevenly between the routes. */
  const rowsFor = (ys: number[]) =>
    ys.map((y, index) => {
      const sum = y / (weights[index] ?? 0);
      return row(index + 1, { noise_error_a: 0.3 * sum, noise_error_b: 0.7 * sum, inner_product: 0 });
    });
  const at = (ys: number[], primary_weight: 'w(t)' | 'simple' = 'w(t)') =>
    pointOf(5, {
      table: two,
      method: { objective: 'patent', primary_weight, q: 'expectation' },
      measured: measuredAt(rowsFor(ys)),
    });

  it('fails where X and Y rise together: 28 against 20', () => {
    // E[XY] = (18·3 + 2·1)/2, E[X]·E[Y] = 10·2.
    const point = at([3, 1]);
    expect(numberOf(point, 'left')).toBeCloseTo(28, 12);
    expect(numberOf(point, 'right')).toBeCloseTo(20, 12);
    expect(numberOf(point, 'ratio')).toBeCloseTo(1.4, 12);
    expect(numberOf(point, 'covariance')).toBeCloseTo(8, 12);
    expect(point.verdict).toBe('fails');
    expect(point.sentence).toContain('28 > 20, a ratio of 1.4');
  });

  it('holds where one falls as the other rises: 12 against 20', () => {
    const point = at([1, 3]);
    expect(numberOf(point, 'left')).toBeCloseTo(12, 12);
    expect(numberOf(point, 'right')).toBeCloseTo(20, 12);
    expect(numberOf(point, 'ratio')).toBeCloseTo(0.6, 12);
    expect(numberOf(point, 'covariance')).toBeCloseTo(-8, 12);
    expect(point.verdict).toBe('fine');
  });

  it('has both sides equal where Y does not depend on t', () => {
    expect(numberOf(at([2, 2]), 'ratio')).toBeCloseTo(1, 12);
  });

  it('is the covariance over t: Cov = −(X_1 − X_2)(Y_2 − Y_1)/4 for two t', () => {
    for (const [first, second] of [
      [0.2, 5],
      [5, 0.2],
      [1, 1.01],
    ] as const)
      expect(numberOf(at([first, second]), 'covariance')).toBeCloseTo((16 * (first - second)) / 4, 12);
  });

  it('says that the derivation does not apply to a primary trained with weight 1', () => {
    expect(at([1, 3], 'simple').verdict).toBe('caution');
    expect(at([1, 3], 'simple').sentence).toContain('does not apply at all');
    expect(at([3, 1], 'simple').verdict).toBe('fails');
  });
});
