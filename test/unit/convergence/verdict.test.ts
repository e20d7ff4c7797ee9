import { describe, expect, it } from 'vitest';
import { checkLogged, decide, type LoggedStep, verdict } from '../../../orchestrator/convergence/index.ts';
import { codeOf, loggedStep, noise, trajectoryStep, visit, withVisit } from './series.ts';

const q = 30;
const options = {
  window: 100,
  cycle: 10,
  confidence: 0.95,
  seed: 0,
  resamples: 200,
  tolerance: 0.0004,
  pose_residual: 'plain',
  scale: 1,
  q_readings: {},
} as const;
const history = (length: number, error: (step: number) => number): LoggedStep[] =>
  Array.from({ length }, (_, index) => loggedStep(index + 1, (index % 10) + 1, q, error(index + 1)));
/** b* = (Q b_0 + a)/(Q + 1) lies at 0.5/31 from b_0. */
const optimum = 0.5 / (q + 1);

describe('the verdict', () => {
  it('finds L* reached at b*, 1/(Q + 1) below ΔL, and converged since a loss below ΔL is no error', () => {
    const found = verdict(
      history(200, () => optimum),
      q,
      options,
    );
    expect(found.plateau).toBe('yes');
    expect(found.lower_bound).toBeCloseTo((30 / 31) * 0.25, 12);
    expect(found.achieved?.mean).toBeCloseTo((30 / 31) * 0.25, 12);
    expect(found.error_to_delta_l).toBeCloseTo(-1 / 31, 10);
    expect(found.error_to_lower_bound).toBeCloseTo(0, 10);
    expect(found.converged).toBe(true);
    expect(found.window).toEqual([101, 200]);
  });

  it('at ΔL proves the pose to the bound of audit point 3 and no better', () => {
    const found = verdict(
      history(100, () => 0),
      q,
      options,
    );
    expect(found.error_to_delta_l).toBeCloseTo(0, 12);
    expect(found.pose_bound).toBeCloseTo(1 / 31 + Math.sqrt(1 / 31 / 31), 10);
    expect(found.pose_error).toBe(0);
  });

  it('is on a plateau but not converged where the loss stays above ΔL', () => {
    const drawn = noise(3);
    const found = verdict(
      history(200, () => 0.2 + 0.001 * drawn()),
      q,
      options,
    );
    expect(found.converged).toBe(false);
    expect(found.error_to_delta_l).toBeGreaterThan(1);
  });

  it('recomputes L_t with the Q of each t, and takes L* over the same steps', () => {
    const each = Array.from({ length: 10 }, (_, index) => 10 * (index + 1));
    const found = verdict(
      history(100, () => 0),
      each,
      options,
    );
    const expected = each.reduce((sum, value) => sum + (value / (value + 1)) * 0.25, 0) / 10;
    expect(found.lower_bound).toBeCloseTo(expected, 12);
    expect(found.q).toBe(55);
  });

  it('has no theory value for the readings of Eq. 20', () => {
    const found = verdict(
      history(100, () => optimum),
      q,
      { ...options, pose_residual: 'absolute' },
    );
    expect(found).toMatchObject({ delta_l: null, lower_bound: null, pose_bound: null, error_to_delta_l: null });
  });

  it('is `too_short` or `diverged` without a number that is not finite', () => {
    expect(verdict([], q, options)).toMatchObject({
      plateau: 'too_short',
      achieved: null,
      steps: 0,
      window: null,
      q: 30,
    });
    expect(
      verdict(
        history(30, () => 0),
        q,
        options,
      ),
    ).toMatchObject({ plateau: 'too_short', converged: false, steps: 30 });
    const broken = history(200, () => 0);
    const { terms } = visit(10, q, 0);
    broken[199] = withVisit(loggedStep(200, 10, q, 0), { terms: { ...terms, target_pose: null }, loss: null });
    const found = verdict(broken, q, options);
    expect(found).toMatchObject({ plateau: 'diverged', converged: false, achieved: null });
    expect(JSON.parse(JSON.stringify(found))).toEqual(found);
  });

  it('looks at the last steps, in whatever order they come', () => {
    const steps = history(200, step => (step <= 100 ? 0.2 : optimum));
    expect(verdict([...steps].reverse(), q, options)).toEqual(verdict(steps, q, options));
    expect(verdict(steps, q, options).achieved?.mean).toBeCloseTo((30 / 31) * 0.25, 12);
  });

  it('takes the gap of L* below ΔL from the Q of each t: under `per-step` it is E[1/(Q + 1)], not 1/(E[Q] + 1)', () => {
    // 1/2 and 1/2000: their mean is 0.25025, while 1/(E[Q] + 1) = 1/1001.
    const each = Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? 1 : 1999));
    const found = verdict(
      history(100, () => 0),
      each,
      options,
    );
    expect(found.q).toBe(1000);
    expect(found.gap).toBeCloseTo(0.25025, 12);
    // A perfect primary has D = ΔL, so that L* lies just there.
    expect(1 - (found.lower_bound ?? 0) / (found.delta_l ?? 0)).toBeCloseTo(0.25025, 12);
  });
});

describe('the verdict under `update: per-trajectory`', () => {
  const whole = { ...options, cycle: 1 };
  const trajectories = (length: number, error: (step: number, t: number) => number): LoggedStep[] =>
    Array.from({ length }, (_, index) => trajectoryStep(index + 1, 10, q, t => error(index + 1, t)));

  it('takes means over every t of every step in the window', () => {
    // b is off by 0.01·t: E[e²] = 0.0001·385/10, E[(0.5 − e)²] = 0.25 − 0.055 + E[e²].
    const found = verdict(
      trajectories(120, (_, t) => 0.01 * t),
      q,
      whole,
    );
    expect(found.plateau).toBe('yes');
    expect(found.window).toEqual([21, 120]);
    expect(found.achieved?.mean).toBeCloseTo(31 * 0.00385 + 0.195, 12);
    expect(found.pose_error).toBeCloseTo(Math.sqrt(0.00385) / 0.5, 12);
    expect(found.delta_l).toBe(0.25);
    expect(found.q).toBe(30);
  });

  it('finds the same numbers as steps that visit one t each, where nothing changes but their grouping', () => {
    const grouped = verdict(
      trajectories(100, (_, t) => 0.01 * t),
      q,
      whole,
    );
    const single = verdict(
      Array.from({ length: 1000 }, (_, index) => loggedStep(index + 1, (index % 10) + 1, q, 0.01 * ((index % 10) + 1))),
      q,
      { ...options, window: 1000 },
    );
    for (const name of ['delta_l', 'lower_bound', 'error_to_delta_l', 'pose_bound', 'pose_error'] as const)
      expect(grouped[name]).toBeCloseTo(single[name] ?? Number.NaN, 10);
    expect(grouped.achieved?.mean).toBeCloseTo(single.achieved?.mean ?? Number.NaN, 10);
  });

  it('sees a drift of the mean that each t hides in its own noise, and says `diverged` for one t that is not finite', () => {
    const drawn = noise(12);
    const drifting = trajectories(100, step => 0.2 - 0.001 * step + 0.001 * drawn());
    expect(verdict(drifting, q, whole).plateau).toBe('no');
    const broken = trajectories(100, () => optimum);
    broken[99] = withVisit(
      trajectoryStep(100, 10, q, () => optimum),
      { loss: null, terms: { ...visit(10, q, 0).terms, pose_residual: null } },
    );
    expect(verdict(broken, q, whole)).toMatchObject({ plateau: 'diverged', achieved: null, converged: false });
  });
});

describe('the verdict under `total: sum`', () => {
  const drawn = noise(21);
  const steps = history(200, step => 0.05 + 0.00005 * step + 0.01 * drawn());
  const mean = verdict(steps, q, { ...options, q_readings: { expectation: 50 } });
  const sum = verdict(steps, q, { ...options, scale: 50, q_readings: { expectation: 50 } });

  it('multiplies losses, theory values and slope by T (Eq. 43)', () => {
    const pairs = (['mean', 'low', 'high'] as const).flatMap(end => [
      [sum.achieved?.[end], mean.achieved?.[end]],
      [sum.slope?.[end], mean.slope?.[end]],
    ]);
    for (const [summed, averaged] of [...pairs, [sum.delta_l, mean.delta_l], [sum.lower_bound, mean.lower_bound]])
      expect((summed ?? 0) / (averaged ?? 0)).toBeCloseTo(50, 10);
    // ΔL is 0.25 at each of the 50 t.
    expect(sum.delta_l).toBeCloseTo(12.5, 12);
  });

  it('leaves errors, bounds and the plateau as they are', () => {
    expect(sum.error_to_delta_l).toBeCloseTo(mean.error_to_delta_l ?? Number.NaN, 12);
    expect(sum.error_to_lower_bound).toBeCloseTo(mean.error_to_lower_bound ?? Number.NaN, 12);
    for (const name of ['pose_bound', 'pose_error', 'pose_distance', 'relative_change', 'plateau', 'gap', 'q'] as const)
      expect(sum[name]).toEqual(mean[name]);
  });

  it('does the same for the other readings of Q', () => {
    const [[summed], [averaged]] = [sum.at_q, mean.at_q];
    expect((summed?.achieved ?? 0) / (averaged?.achieved ?? 0)).toBeCloseTo(50, 10);
    expect((summed?.lower_bound ?? 0) / (averaged?.lower_bound ?? 0)).toBeCloseTo(50, 10);
    expect(summed?.error_to_delta_l).toBeCloseTo(averaged?.error_to_delta_l ?? Number.NaN, 12);
    expect(summed?.bound_at_tolerance).toBe(averaged?.bound_at_tolerance);
  });
});

describe('a logged step', () => {
  it('is accepted within 1e-5 and refused beyond (loss_mismatch)', () => {
    const step = loggedStep(1, 1, q, 0.1);
    const { loss, terms } = visit(1, q, 0.1);
    const shifted = (factor: number) => withVisit(step, { loss: (loss ?? 0) * factor });
    expect(codeOf(() => checkLogged(shifted(1 + 9e-6), q))).toBeUndefined();
    expect(codeOf(() => checkLogged(shifted(1 + 2e-5), q))).toBe('loss_mismatch');
    expect(codeOf(() => checkLogged(withVisit(step, { loss: null }), q))).toBe('loss_mismatch');
    expect(codeOf(() => checkLogged(step, 31))).toBe('loss_mismatch');
    expect(
      codeOf(() => checkLogged(withVisit(step, { loss: null, terms: { ...terms, target_pose: null } }), q)),
    ).toBeUndefined();
  });

  it('is checked at every t that it visits, each with its own Q', () => {
    const each = [10, 20, 30];
    const step = { step: 4, visits: each.map((own, index) => visit(index + 1, own, 0.1)) };
    expect(codeOf(() => checkLogged(step, each))).toBeUndefined();
    expect(codeOf(() => checkLogged(step, [10, 20, 31]))).toBe('loss_mismatch');
    expect(() => checkLogged(step, [10, 20, 31])).toThrow('t = 3');
  });

  it('at a t without a finite Q breaks the contract (contract_violation)', () => {
    expect(codeOf(() => checkLogged(loggedStep(1, 2, q, 0.1), [30, null]))).toBe('contract_violation');
  });
});

describe('a decision', () => {
  const choices = { ...options, early_stop: true, min_steps: 150 };

  it('continues before min_steps, stops on the plateau after it, and never where early_stop is off', () => {
    const steps = history(300, () => optimum);
    expect(decide(steps, 100, q, choices).decision).toBe('continue');
    expect(decide(steps, 150, q, choices)).toMatchObject({ step: 150, decision: 'stop' });
    expect(decide(steps, 150, q, { ...choices, early_stop: false }).decision).toBe('continue');
  });

  it('is the same for a history that goes on after the boundary, as on resume', () => {
    const drawn = noise(8);
    const steps = history(300, step => 0.3 * Math.exp(-step / 100) + 0.002 * drawn());
    expect(decide(steps, 200, q, choices)).toEqual(decide(steps.slice(0, 200), 200, q, choices));
    expect(decide(steps, 200, q, choices).reason).toContain('still moving');
  });

  it('looks at whole trajectories where every step is one', () => {
    const steps = Array.from({ length: 200 }, (_, index) => trajectoryStep(index + 1, 10, q, t => 0.01 * t));
    const falling = steps.map(({ step }) => trajectoryStep(step, 10, q, t => 0.01 * t + 0.2 * Math.exp(-step / 50)));
    const whole = { ...choices, cycle: 1 };
    expect(decide(steps, 200, q, whole)).toMatchObject({ step: 200, decision: 'stop' });
    expect(decide(falling, 200, q, whole).reason).toContain('still moving');
  });

  it('stops a diverged run even without early_stop', () => {
    const steps = history(50, step => (step === 50 ? Number.NaN : 0));
    const found = decide(steps, 50, q, { ...choices, early_stop: false });
    expect(found.decision).toBe('stop');
    expect(found.reason).toContain('diverged');
  });
});
