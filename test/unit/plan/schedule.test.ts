import { describe, expect, it } from 'vitest';
import { checkPlan } from '../../../orchestrator/plan/check.ts';
import { experiment, plan } from './experiment.ts';

describe('the resolved schedule', () => {
  it('meets the trained timesteps exactly where it is the schedule of the U-Net, trailing from 999', () => {
    const { schedule } = plan({ schedule: { kind: 'scaled_linear', num_steps: 50 } }).stages.train.spec;
    const trailing = Array.from({ length: 50 }, (_, index) => 19 + 20 * index);
    expect(schedule.timesteps).toHaveLength(50);
    for (const [index, timestep] of schedule.timesteps.entries()) expect(timestep).toBeCloseTo(trailing[index] ?? 0, 6);
    expect(schedule.trainable.every(Boolean)).toBe(true);
  });

  it('holds alphas whose running product is alphas_cumprod', () => {
    const { schedule } = plan({ schedule: { kind: 'list', values: [0.9, 0.8, 0.5] } }).stages.train.spec;
    expect(schedule.alphas).toEqual([0.9, 0.8, 0.5]);
    for (const [index, product] of [0.9, 0.72, 0.36].entries()) {
      expect(schedule.alphas_cumprod[index]).toBeCloseTo(product, 12);
      expect(schedule.log_alphas_cumprod[index]).toBeCloseTo(Math.log(product), 12);
    }
  });

  it('gives the index of t itself under `unet_timestep: index`', () => {
    const { schedule } = plan({ method: { unet_timestep: 'index' } }).stages.train.spec;
    expect(schedule.timesteps.slice(0, 3)).toEqual([0, 1, 2]);
  });

  it('repeats one Q for every t, and under `per-step` has 2 alphas / (1 - alphas) of each', () => {
    const values = [0.5, 0.8];
    const q = (reading: number | 'per-step' | 'expectation') =>
      plan({ schedule: { kind: 'list', values }, method: { q: reading } }).stages.train.spec.schedule.q;
    expect(q(30)).toEqual([30, 30]);
    // 2 · 0.5 / 0.5 = 2 and 2 · 0.8 / 0.2 = 8: their mean is 5 (Eq. 37).
    expect(q('per-step')).toEqual([2, expect.closeTo(8, 12)]);
    expect(q('expectation')).toEqual([expect.closeTo(5, 12), expect.closeTo(5, 12)]);
  });

  it('leaves out the steps that `singular: drop` drops and keeps every number finite', () => {
    const literal = { kind: 'arithmetic', start: 0.00002, end: 1, singular: 'drop' } as const;
    const { schedule } = plan({ schedule: literal }).stages.train.spec;
    expect(schedule.trainable.includes(false)).toBe(true);
    expect(schedule.log_alphas_cumprod.every(Number.isFinite)).toBe(true);
  });
});

describe('checks before Python', () => {
  it('refuse a singular schedule, with the step, the quantity and the remedies', () => {
    const issues = checkPlan(experiment({ schedule: { kind: 'arithmetic' } }));
    expect(issues).toMatchObject([{ code: 'singular_schedule', path: 'schedule.singular' }]);
    expect(issues[0]?.message).toContain('t = 50');
    expect(issues[0]?.hint).toMatch(/drop.*clamp/);
  });

  it('refuse a bank that is no whole number of cycles over the trainable t, and name the nearest', () => {
    const bank = (bank_steps: number) =>
      checkPlan(experiment({ schedule: { kind: 'linear', num_steps: 10 }, train: { bank_steps } }));
    expect(bank(20)).toEqual([]);
    expect(bank(25)).toMatchObject([
      { code: 'refused_combination', path: 'train.bank_steps', hint: 'bank_steps: 20 or 30' },
    ]);
    const dropped = { kind: 'arithmetic', start: 0.00002, end: 1, singular: 'drop' } as const;
    expect(checkPlan(experiment({ schedule: dropped, train: { bank_steps: 50 } }))).toMatchObject([
      { code: 'refused_combination' },
    ]);
  });

  it('accept the default experiment', () => {
    expect(checkPlan(experiment())).toEqual([]);
  });
});
