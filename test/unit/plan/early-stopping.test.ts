import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EarlyStopping, groupOf, type TrialCut } from '../../../orchestrator/contracts/sweep.ts';
import {
  type Curve,
  describeCut,
  type Rival,
  reasonToCut,
  standingCut,
} from '../../../orchestrator/plan/early-stopping.ts';
import { experiment } from './experiment.ts';

const ruleOf = (given: object): EarlyStopping => EarlyStopping.parse(given);
const curveOf = (values: Record<number, number | null>): Curve =>
  new Map(Object.entries(values).map(([step, value]) => [Number(step), value]));
const rivalsAt = (step: number, values: readonly (number | null)[]): Rival[] =>
  values.map((value, index) => ({ trial: `trial ${index}`, curve: curveOf({ [step]: value }) }));

describe('the median rule', () => {
  const rule = ruleOf({ rule: 'median', min_trials: 3 });
  const cut = (own: Record<number, number | null>, others: readonly (number | null)[], step = 20) =>
    reasonToCut(rule, step, curveOf(own), rivalsAt(step, others));

  it('cuts a trial whose best so far is worse than the median of the others at this step', () => {
    // Of 0.3, 0.1, 0.2 the one in the middle is 0.2; the best of 0.25 and 0.4 is 0.25.
    expect(cut({ 10: 0.25, 20: 0.4 }, [0.3, 0.1, 0.2])).toEqual({
      value: 0.25,
      threshold: 0.2,
      compared_with: ['trial 0', 'trial 1', 'trial 2'],
    });
    expect(cut({ 10: 0.15, 20: 0.4 }, [0.3, 0.1, 0.2])).toBeUndefined();
  });

  it('takes the mean of the two in the middle of an even number, and lets an equal trial go on', () => {
    // 0.125, 0.25, 0.5, 1: (0.25 + 0.5) / 2
    expect(cut({ 20: 0.375 }, [1, 0.25, 0.125, 0.5])).toBeUndefined();
    expect(cut({ 20: 0.376 }, [1, 0.25, 0.125, 0.5])?.threshold).toBe(0.375);
  });

  it('forgets what a trial began with, and what came after this step', () => {
    expect(cut({ 0: 0.01, 20: 0.4, 30: 0.01 }, [0.3, 0.1, 0.2])?.value).toBe(0.4);
  });

  it('waits for min_steps, for min_trials, and for a validation of its own', () => {
    const later = ruleOf({ rule: 'median', min_trials: 3, min_steps: 21 });
    const bad = curveOf({ 20: 9 });
    expect(reasonToCut(later, 20, bad, rivalsAt(20, [1, 1, 1]))).toBeUndefined();
    expect(cut({ 20: 9 }, [1, 1])).toBeUndefined();
    expect(reasonToCut(rule, 20, bad, [...rivalsAt(20, [1, 1]), ...rivalsAt(10, [1, 1])])).toBeUndefined();
    expect(cut({ 10: 9 }, [1, 1, 1])).toBeUndefined();
  });

  it('takes what is not finite for worse than any number', () => {
    expect(cut({ 20: null }, [1, null, 2])).toMatchObject({ value: null, threshold: 2 });
    expect(cut({ 20: 5 }, [1, null, null])).toBeUndefined();
  });
});

describe('asynchronous successive halving', () => {
  it('lets the best 1 / eta of those at a rung so far go on, in the order in which they come', () => {
    const rule = ruleOf({ rule: 'successive_halving', min_steps: 10, eta: 2 });
    const arrived: number[] = [];
    const arrive = (value: number) => {
      const reason = reasonToCut(rule, 10, curveOf({ 10: value }), rivalsAt(10, arrived));
      arrived.push(value);
      return reason?.threshold;
    };
    // By hand, floor(n / 2) of n go on, one at the least:
    // 0.5 | 0.5 0.6: 1 | 0.4 0.5 0.6: 1 | 0.4 0.45 0.5 0.6: 2 | 0.4 0.45 0.48 0.5 0.6: 2
    expect([0.5, 0.6, 0.4, 0.45, 0.48].map(arrive)).toEqual([undefined, 0.5, undefined, undefined, 0.45]);
  });

  it('has rungs at min_steps times powers of eta, and judges by the value there, not by the best', () => {
    const rule = ruleOf({ rule: 'successive_halving', min_steps: 10, eta: 3 });
    const steps = [10, 20, 30, 40, 60, 90, 100, 270];
    const cutAt = steps.filter(
      step => reasonToCut(rule, step, curveOf({ 5: 0.1, [step]: 2 }), rivalsAt(step, [1])) !== undefined,
    );
    expect(cutAt).toEqual([10, 30, 90, 270]);
  });
});

describe('either rule', () => {
  const anyRule = fc.constantFrom(
    ruleOf({ rule: 'median', min_trials: 1 }),
    ruleOf({ rule: 'successive_halving', min_steps: 10, eta: 2 }),
  );
  const error = fc.double({ min: 0, max: 1, noNaN: true });

  it('never cuts the best trial, nor one that is alone', () => {
    fc.assert(
      fc.property(anyRule, fc.array(error), (rule, others) => {
        const best = Math.min(1, ...others);
        expect(reasonToCut(rule, 10, curveOf({ 10: best }), rivalsAt(10, others))).toBeUndefined();
      }),
    );
  });

  it('cuts for a value above its threshold alone', () => {
    fc.assert(
      fc.property(anyRule, error, fc.array(error, { minLength: 1 }), (rule, own, others) => {
        const reason = reasonToCut(rule, 10, curveOf({ 10: own }), rivalsAt(10, others));
        if (reason !== undefined) expect(reason.value ?? Infinity).toBeGreaterThan(reason.threshold ?? Infinity);
      }),
    );
  });
});

describe('a cut', () => {
  const rule = ruleOf({ rule: 'median' });
  const cut = { trial: 'a', step: 40, rule, value: 0.0123, threshold: 0.00912, compared_with: ['b'], time: '' };
  const cuts: TrialCut[] = [cut, { ...cut, trial: 'b', rule: ruleOf({ rule: 'median', min_steps: 9 }) }];

  it('stands while its rule does, and no longer', () => {
    expect(standingCut(cuts, 'a', rule)).toEqual(cut);
    expect(standingCut(cuts, 'a', { within: [], min_trials: 5, min_steps: 0, rule: 'median' })).toEqual(cut);
    expect(standingCut(cuts, 'b', rule)).toBeUndefined();
    expect(standingCut(cuts, 'a', null)).toBeUndefined();
  });

  it('says at which step and why', () => {
    expect(describeCut(cut)).toBe('cut at step 40: median, 0.0123 > 0.00912 among 1 other');
  });
});

describe('trials', () => {
  it('are compared where they have the same values at all paths of `within`', () => {
    const groups = (within: string[]) =>
      [
        experiment({ seed: 1 }),
        experiment({ seed: 2 }),
        experiment({ seed: 1, schedule: { kind: 'scaled_linear', num_steps: 8 } }),
      ].map(trial => groupOf(ruleOf({ rule: 'median', within }), trial));
    const sizes = (within: string[]) => new Set(groups(within)).size;
    expect(sizes([])).toBe(1);
    expect(sizes(['seed'])).toBe(2);
    expect(sizes(['schedule.num_steps'])).toBe(2);
    expect(sizes(['seed', 'schedule'])).toBe(3);
  });
});
