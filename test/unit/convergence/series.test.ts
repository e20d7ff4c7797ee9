import { describe, expect, it } from 'vitest';
import { lossOf, lossSeries, qAt } from '../../../orchestrator/convergence/index.ts';
import { codeOf, loggedStep, trajectoryStep, visit, withVisit } from './series.ts';

describe('the series of losses', () => {
  it('recomputes L_t = Q·‖b − b_0‖² + ‖b − a‖² of every step (Eq. 40), ordered by step', () => {
    // At 0.1 from b_0 towards a, which lies at 0.5: Q·0.01 + 0.16.
    const steps = [loggedStep(3, 2, 30, 0.1), loggedStep(1, 7, 30, 0), loggedStep(2, 2, 30, 0.5)];
    expect(lossSeries(steps, 30).map(({ step, t, value }) => [step, t, value])).toEqual([
      [1, 7, 0.25],
      [2, 2, 7.5],
      [3, 2, expect.closeTo(0.46, 12)],
    ]);
  });

  it('has one value for a step that visits every t: the mean over t, whatever their order', () => {
    const step = trajectoryStep(1, 4, 30, t => 0.1 * t);
    // Errors 0.1 … 0.4: Q·(0.01 + 0.04 + 0.09 + 0.16)/4 + (0.16 + 0.09 + 0.04 + 0.01)/4.
    const [point, ...rest] = lossSeries([step], 30);
    expect(rest).toEqual([]);
    expect(point?.value).toBeCloseTo(30 * 0.075 + 0.075, 12);
    const turned = { ...step, visits: [...step.visits].reverse() };
    expect(lossSeries([turned], 30)[0]?.value).toBeCloseTo(point?.value ?? Number.NaN, 12);
  });

  it('gives all whole trajectories one level, and single visits that of their t', () => {
    const trajectories = [1, 2, 3].map(step => trajectoryStep(step, 4, 30, () => 0));
    const [first, ...others] = trajectories;
    const turned = { step: 4, visits: [...(first?.visits ?? [])].reverse() };
    expect(new Set(lossSeries([...others, turned], 30).map(({ t }) => t)).size).toBe(1);
    const single = [1, 2, 3].map(step => loggedStep(step, step, 30, 0));
    expect(lossSeries(single, 30).map(({ t }) => t)).toEqual([1, 2, 3]);
  });

  it('weighs each t of a trajectory with its own Q', () => {
    const step = trajectoryStep(1, 2, 30, () => 0.5);
    // At a: Q_t·0.25 + 0, with Q_1 = 8 and Q_2 = 4.
    expect(lossSeries([step], [8, 4])[0]?.value).toBeCloseTo((2 + 1) / 2, 12);
  });

  it('is not finite where one t of a trajectory is not', () => {
    const { terms } = visit(4, 30, 0);
    const broken = withVisit(
      trajectoryStep(1, 4, 30, () => 0),
      { terms: { ...terms, target_pose: null } },
    );
    expect(lossSeries([broken], 30)[0]?.value).toBeNaN();
    expect(lossOf(visit(1, 30, 0), 30)).toBe(0.25);
  });
});

describe('Q at a t', () => {
  it('is one number, or that of the t; a t without one breaks the contract (contract_violation)', () => {
    expect(qAt(30, 50)).toBe(30);
    expect(qAt([null, 10, 20], 3)).toBe(20);
    expect(codeOf(() => qAt([null, 10, 20], 1))).toBe('contract_violation');
    expect(codeOf(() => qAt([null, 10, 20], 4))).toBe('contract_violation');
  });
});
