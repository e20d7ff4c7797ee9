import { describe, expect, it } from 'vitest';
import { audit, checkLogged, decide, type LoggedStep, verdict } from '../../../orchestrator/convergence/index.ts';
import { PosetwinError } from '../../../orchestrator/errors.ts';
import { buildSchedule } from '../../../orchestrator/schedule/index.ts';
import { loggedStep, noise } from './series.ts';

const q = 30;
const options = {
  window: 100,
  cycle: 10,
  confidence: 0.95,
  seed: 0,
  resamples: 200,
  tolerance: 0.0004,
  pose_residual: 'plain',
} as const;
const history = (length: number, error: (step: number) => number): LoggedStep[] =>
  Array.from({ length }, (_, index) => loggedStep(index + 1, (index % 10) + 1, q, error(index + 1)));
/** b* = (Q b_0 + a)/(Q + 1) lies at 0.5/31 from b_0. */
const optimum = 0.5 / (q + 1);

const codeOf = (action: () => unknown): string | undefined => {
  try {
    action();
  } catch (error) {
    if (error instanceof PosetwinError) return error.code;
  }
  return undefined;
};

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
      q: null,
    });
    expect(
      verdict(
        history(30, () => 0),
        q,
        options,
      ),
    ).toMatchObject({ plateau: 'too_short', converged: false, steps: 30 });
    const broken = history(200, () => 0);
    broken[199] = {
      ...loggedStep(200, 10, q, 0),
      terms: { ...loggedStep(200, 10, q, 0).terms, target_pose: null },
      loss: null,
    };
    const found = verdict(broken, q, options);
    expect(found).toMatchObject({ plateau: 'diverged', converged: false, achieved: null });
    expect(JSON.parse(JSON.stringify(found))).toEqual(found);
  });
});

describe('a logged step', () => {
  it('is accepted within 1e-5 and refused beyond (loss_mismatch)', () => {
    const step = loggedStep(1, 1, q, 0.1);
    const shifted = (factor: number) => ({ ...step, loss: (step.loss ?? 0) * factor });
    expect(codeOf(() => checkLogged(shifted(1 + 9e-6), q))).toBeUndefined();
    expect(codeOf(() => checkLogged(shifted(1 + 2e-5), q))).toBe('loss_mismatch');
    expect(codeOf(() => checkLogged({ ...step, loss: null }, q))).toBe('loss_mismatch');
    expect(codeOf(() => checkLogged(step, 31))).toBe('loss_mismatch');
    expect(
      codeOf(() => checkLogged({ ...step, loss: null, terms: { ...step.terms, target_pose: null } }, q)),
    ).toBeUndefined();
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

  it('stops a diverged run even without early_stop', () => {
    const steps = history(50, step => (step === 50 ? Number.NaN : 0));
    const found = decide(steps, 50, q, { ...choices, early_stop: false });
    expect(found.decision).toBe('stop');
    expect(found.reason).toContain('diverged');
  });
});

describe('the audit', () => {
  const table = buildSchedule({
    kind: 'arithmetic',
    of: 'betas',
    order: 'ascending',
    start: 0.00002,
    end: 1,
    num_steps: 50,
    singular: 'drop',
    eps: 1e-6,
  });
  const steps = history(100, () => 0);
  const input = {
    table,
    steps,
    verdict: verdict(steps, q, options),
    objective: 'patent',
    clamped_timesteps: 30,
  } as const;
  const detector = { error_floor: 0.01, in_loss_error_px: 2, held_out_error_px: 9, detection_rate: 0.9 };

  it('gives points 1, 2, 3, 8, 9 and 10 a verdict and one sentence each', () => {
    const points = audit({ ...input, scene_drift: null, detector: null });
    expect(points.map(({ point }) => point)).toEqual([1, 2, 3, 8, 9, 10]);
    for (const { sentence } of points) expect(sentence).toMatch(/^[A-Z`].*\.$/);
    expect(points[0]?.verdict).toBe('not_measured');
    expect(points[5]?.verdict).toBe('not_measured');
  });

  it('says that t = 1 makes 99.7 % of Q in the β-reading, and how many steps the U-Net never saw', () => {
    const points = audit({ ...input, scene_drift: null, detector: null });
    expect(points[3]?.numbers.share_of_first_step).toBeCloseTo(0.997, 3);
    expect(points[3]?.numbers.expectation).toBeCloseTo(2006.78, 2);
    expect(points[3]?.verdict).toBe('fails');
    expect(points[4]?.sentence).toContain('30 of 50');
    expect(points[4]?.numbers.singular_t).toEqual([50]);
  });

  it('fails point 1 where scene drift rose, and point 10 where judge and in-loss detector part', () => {
    const points = audit({ ...input, scene_drift: { primary: 0.05, secondary: 0.3 }, detector });
    expect(points[0]?.verdict).toBe('fails');
    expect(points[0]?.sentence).toContain('0.3 with the secondary');
    expect(points[5]?.verdict).toBe('fails');
    expect(points[5]?.numbers.error_floor_times_q).toBeCloseTo(30 * 0.0001, 10);
  });
});
