import { describe, expect, it } from 'vitest';
import { type QByStep, verdict } from '../../../orchestrator/convergence/index.ts';
import { buildSchedule, everyQ } from '../../../orchestrator/schedule/index.ts';
import { codeOf, loggedStep } from './series.ts';

const options = {
  window: 60,
  cycle: 3,
  confidence: 0.95,
  seed: 0,
  resamples: 50,
  tolerance: 0.0004,
  pose_residual: 'plain',
  scale: 1,
} as const;

/** A run at t = `ts` in turn, each 0.1 from b_0 towards a, which lies at 0.5. */
const run = (ts: readonly number[]) =>
  Array.from({ length: 60 }, (_, index) => loggedStep(index + 1, ts[index % ts.length] ?? 0, 30, 0.1));

const seenAt = (q: QByStep, ts: readonly number[] = [1, 2, 3]) =>
  verdict(run(ts), 30, { ...options, q_readings: { reading: q } }).at_q[0];

/** The farthest b from b_0 on the line to a, in units of √D, whose loss is at most (1 + tolerance)·D: by bisection. */
const farthest = (q: number, tolerance: number): number => {
  let [inside, outside] = [1 / (q + 1), 2];
  for (let round = 0; round < 200; round++) {
    const middle = (inside + outside) / 2;
    if (q * middle ** 2 + (1 - middle) ** 2 <= 1 + tolerance) inside = middle;
    else outside = middle;
  }
  return inside;
};

describe("the paper's 0.04 % under every reading of Q", () => {
  it.each([
    { q: 2007, gap: '0.05', bound: '0.12' },
    { q: 30.3, gap: '3.19', bound: '6.41' },
    { q: 76, gap: '1.30', bound: '2.62' },
    { q: 7, gap: '12.50', bound: '25.02' },
  ])('leaves the pose off by up to $bound % of the distance at Q = $q (audit, point 3)', ({ q, gap, bound }) => {
    const found = seenAt(q);
    expect(((found?.gap ?? 0) * 100).toFixed(2)).toBe(gap);
    expect(found?.gap).toBeCloseTo(1 / (q + 1), 12);
    expect(((found?.bound_at_tolerance ?? 0) * 100).toFixed(2)).toBe(bound);
    expect(found?.bound_at_tolerance).toBeCloseTo(farthest(q, 0.0004), 10);
  });

  it('is the gap of L* below ΔL at Q ≈ 2,500 and at no Q of a known schedule', () => {
    const candidates = Array.from({ length: 5000 }, (_, index) => index + 1);
    const nearest = candidates.reduce((best, q) =>
      Math.abs(1 - q / (q + 1) - 0.0004) < Math.abs(1 - best / (best + 1) - 0.0004) ? q : best,
    );
    expect(nearest).toBe(2499);
    expect(seenAt(nearest)?.gap).toBeCloseTo(0.0004, 12);
    expect(seenAt(2007)?.gap).toBeGreaterThan(0.00049);
  });

  it('moves with the tolerance: at 0 the bound is 2/(Q + 1), L* and ΔL being that far apart', () => {
    const found = verdict(run([1, 2, 3]), 30, { ...options, tolerance: 0, q_readings: { reading: 99 } }).at_q[0];
    expect(found?.bound_at_tolerance).toBeCloseTo(0.02, 12);
  });
});

describe('the run seen under another reading of Q', () => {
  it('has the loss, L* and errors that a hand computes from the same terms', () => {
    // ‖b − b_0‖² = 0.01, ‖b − a‖² = 0.16, D = ΔL = 0.25; at Q = 9: L = 0.25, L* = 0.225.
    const found = seenAt(9);
    expect(found).toMatchObject({ reading: 'reading', q: 9, delta_l: 0.25 });
    expect(found?.achieved).toBeCloseTo(0.25, 12);
    expect(found?.lower_bound).toBeCloseTo(0.225, 12);
    expect(found?.error_to_delta_l).toBeCloseTo(0, 12);
    expect(found?.error_to_lower_bound).toBeCloseTo(1 / 9, 12);
  });

  it('weighs each t by its own Q, and may lack one at a t that is dropped', () => {
    const found = seenAt([null, 9, 19], [2, 3]);
    // L_2 = 0.09 + 0.16, L_3 = 0.19 + 0.16; L*_2 = 0.9/4, L*_3 = 0.95/4; gaps 1/10 and 1/20.
    expect(found?.q).toBe(14);
    expect(found?.achieved).toBeCloseTo(0.3, 12);
    expect(found?.lower_bound).toBeCloseTo((0.225 + 0.2375) / 2, 12);
    expect(found?.gap).toBeCloseTo(0.075, 12);
    // √E[1/(Q+1)²] + √E[(τ + 1/(Q+1))/(Q+1)]
    const near = Math.sqrt((0.1 ** 2 + 0.05 ** 2) / 2);
    const far = Math.sqrt((0.1004 * 0.1 + 0.0504 * 0.05) / 2);
    expect(found?.bound_at_tolerance).toBeCloseTo(near + far, 12);
    expect(codeOf(() => seenAt([null, 9, 19], [1, 2, 3]))).toBe('contract_violation');
  });

  it('holds every reading of a schedule, in their order, with numbers that JSON can hold', () => {
    // α/(1 − α) = 9, 4, 1: E = 14/3, Σ t·odds = 9 + 8 + 3 = 20.
    const q_readings = everyQ(
      buildSchedule({ kind: 'list', of: 'alphas', values: [0.9, 0.8, 0.5], singular: 'error', eps: 1e-6 }),
    );
    const { at_q } = verdict(run([1, 2, 3]), 30, { ...options, q_readings: q_readings as Record<string, QByStep> });
    expect(at_q.map(({ reading }) => reading)).toEqual(['expectation', 'printed-sum', 'per-step']);
    const [expectation, printed, each] = at_q.map(({ q }) => q);
    expect(expectation).toBeCloseTo(28 / 3, 12);
    expect(printed).toBeCloseTo(40, 12);
    // The mean of 2·odds is the expectation again: only how they are spread differs.
    expect(each).toBeCloseTo(28 / 3, 12);
    expect(at_q[2]?.gap).toBeCloseTo((1 / 19 + 1 / 9 + 1 / 3) / 3, 12);
    expect(JSON.parse(JSON.stringify(at_q))).toEqual(at_q);
  });

  it('is the run itself where the reading is the one it was trained with', () => {
    const found = verdict(run([1, 2, 3]), 30, { ...options, q_readings: { own: 30 } });
    const [own] = found.at_q;
    expect(own?.achieved).toBeCloseTo(found.achieved?.mean ?? Number.NaN, 12);
    for (const name of ['q', 'delta_l', 'lower_bound', 'gap'] as const) expect(own?.[name]).toBe(found[name]);
  });

  it('has no theory value under the readings of Eq. 20 and for a run without steps Q and its gap alone', () => {
    const squared = { ...options, pose_residual: 'squared', q_readings: { reading: 9 } } as const;
    expect(verdict(run([1, 2, 3]), 30, squared).at_q[0]).toMatchObject({ q: 9, delta_l: null, lower_bound: null });
    const [empty] = verdict([], 30, { ...options, q_readings: { reading: 9 } }).at_q;
    expect(empty).toMatchObject({ reading: 'reading', q: 9, gap: 0.1, achieved: null, bound_at_tolerance: null });
    // Where Q differs by t: the mean over the t that have one.
    expect(verdict([], [1, null, 9], { ...options, q_readings: {} })).toMatchObject({
      q: 5,
      gap: (1 / 2 + 1 / 10) / 2,
    });
  });
});
