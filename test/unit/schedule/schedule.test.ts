import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Schedule } from '../../../orchestrator/contracts/schedule.ts';
import { PosetwinError } from '../../../orchestrator/errors.ts';
import {
  buildSchedule,
  resolveQ,
  snrMatchedTimesteps,
  spaceTimesteps,
  trainableSteps,
  trainingSchedule,
} from '../../../orchestrator/schedule/index.ts';

type Arithmetic = Extract<Schedule, { kind: 'arithmetic' }>;

const arithmetic = (changes: Partial<Arithmetic> = {}): Schedule => ({
  kind: 'arithmetic',
  of: 'alphas',
  order: 'ascending',
  start: 0.00002,
  end: 1,
  num_steps: 50,
  singular: 'drop',
  eps: 1e-6,
  ...changes,
});
const list = (of: Arithmetic['of'], values: number[], singular: Schedule['singular'] = 'drop'): Schedule => ({
  kind: 'list',
  of,
  values,
  singular,
  eps: 1e-6,
});
const scaledLinear = (num_steps: number, spacing: 'trailing' | 'leading' | 'linspace' = 'trailing'): Schedule => ({
  kind: 'scaled_linear',
  num_steps,
  spacing,
  num_train_timesteps: 1000,
  beta_start: 0.00085,
  beta_end: 0.012,
  singular: 'error',
  eps: 1e-6,
});
const stableDiffusion = trainingSchedule({
  beta_schedule: 'scaled_linear',
  num_train_timesteps: 1000,
  beta_start: 0.00085,
  beta_end: 0.012,
});

const thrown = (action: () => unknown): PosetwinError => {
  try {
    action();
  } catch (error) {
    if (error instanceof PosetwinError) return error;
  }
  throw new Error('no PosetwinError was thrown');
};

describe('singular steps', () => {
  it('are refused under `error` with step, quantity and remedies (singular_schedule)', () => {
    const error = thrown(() => buildSchedule(arithmetic({ singular: 'error' })));
    expect(error.code).toBe('singular_schedule');
    expect(error.message).toContain('Q is infinite at t = 50');
    expect(error.hint).toContain('drop');
  });

  it('are left out of training and of Q under `drop`, in arrays that keep length T', () => {
    const table = buildSchedule(arithmetic());
    expect(table.odds).toHaveLength(50);
    expect(table.odds[49]).toBeNull();
    expect(trainableSteps(table).indexOf(false)).toBe(49);
    expect(resolveQ(table, 'per-step')).toContain(null);
  });

  it('under `clamp` let eps set Q: Q = 2/(T·eps) and the rest', () => {
    for (const eps of [1e-6, 1e-4]) {
      const table = buildSchedule(arithmetic({ singular: 'clamp', eps }));
      const rest = (6.958589848455819 * 49) / 50;
      expect(resolveQ(table, 'expectation')).toBeCloseTo((2 * (1 - eps)) / (50 * eps) + rest, 6);
      expect(table.clamped).toEqual([50]);
      expect(table.diagnostics.clamped_share_of_q).toBeGreaterThan(0.95);
    }
  });

  it('keep null for the logarithm of an alphas_cumprod of 0, and call w(t) infinite there', () => {
    const table = buildSchedule(arithmetic({ of: 'betas' }));
    expect(table.log_alphas_cumprod[49]).toBeNull();
    expect(table.singular).toEqual([
      { t: 50, quantity: 'w', kind: 'infinite' },
      { t: 50, quantity: 'one_step_gain', kind: 'infinite' },
    ]);
  });

  it('count underflow as a kind of its own, with a finite logarithm', () => {
    // α_t = t/T, whose product is T!/T^T: Stirling gives its logarithm.
    const table = buildSchedule(arithmetic({ num_steps: 10_000, start: 1e-4 }));
    const underflow = table.singular.filter(({ kind }) => kind === 'underflow');
    expect(underflow.length).toBeGreaterThan(9000);
    expect(table.log_alphas_cumprod[9999]).toBeCloseTo(-10_000 + Math.log(2 * Math.PI * 10_000) / 2, 4);
  });
});

describe('schedules', () => {
  it('give `start` for a progression of one step', () => {
    expect(buildSchedule(arithmetic({ num_steps: 1 })).alphas).toEqual([0.00002]);
  });

  it('refuse the progressions that are no diffusion (refused_combination)', () => {
    expect(thrown(() => buildSchedule(arithmetic({ of: 'betas', order: 'descending' }))).code).toBe(
      'refused_combination',
    );
    expect(thrown(() => buildSchedule(arithmetic({ of: 'alphas_cumprod' }))).code).toBe('refused_combination');
    expect(thrown(() => buildSchedule(arithmetic({ start: 1, end: 0 }))).code).toBe('refused_combination');
  });

  it('refuse T = 0, values outside [0, 1] and a rising alphas_cumprod (out_of_range)', () => {
    expect(thrown(() => buildSchedule(scaledLinear(0))).code).toBe('out_of_range');
    expect(thrown(() => buildSchedule(arithmetic({ num_steps: 0 }))).code).toBe('out_of_range');
    expect(thrown(() => buildSchedule(list('alphas', [0.9, 1.1]))).message).toContain('t = 2');
    expect(thrown(() => buildSchedule(list('alphas_cumprod', [0.5, 0.6]))).message).toContain('rises at t = 2');
  });

  it('are the same from alphas, betas and alphas_cumprod', () => {
    const alphas = fc.array(fc.double({ min: 0.05, max: 0.999, noNaN: true }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(alphas, values => {
        const a = buildSchedule(list('alphas', values));
        const b = buildSchedule(
          list(
            'betas',
            values.map(value => 1 - value),
          ),
        );
        const c = buildSchedule(list('alphas_cumprod', a.alphas_cumprod));
        for (const other of [b, c])
          other.w.forEach((w, index) => {
            expect(Math.abs((w ?? 0) / (a.w[index] ?? 1) - 1)).toBeLessThan(1e-9);
          });
      }),
    );
  });

  it('tell what the reader should know of them', () => {
    const { diagnostics } = buildSchedule(scaledLinear(50));
    expect(diagnostics.monotone).toBe(true);
    expect(diagnostics.q_shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
    expect(diagnostics.q_shares[0]).toBeCloseTo(0.07, 2);
    expect(buildSchedule(scaledLinear(50, 'leading')).diagnostics.q_shares[0]).toBeCloseTo(0.44, 2);
    expect(buildSchedule(scaledLinear(50, 'linspace')).diagnostics.q_shares[0]).toBeCloseTo(0.62, 2);
    expect(buildSchedule(arithmetic({ of: 'betas' })).diagnostics.q_shares[0]).toBeCloseTo(0.997, 3);
    expect(buildSchedule(arithmetic()).diagnostics.outside_float16).toHaveLength(50);
    expect(diagnostics.outside_float32).toEqual([]);
  });
});

describe('snr-matched timesteps', () => {
  it('are exact on the training schedule itself', () => {
    for (const spacing of ['trailing', 'leading', 'linspace'] as const) {
      const { timesteps, clamped } = snrMatchedTimesteps(buildSchedule(scaledLinear(50, spacing)), stableDiffusion);
      expect(timesteps).toEqual(spaceTimesteps(spacing, 50, 1000));
      expect(clamped).toBe(0);
    }
  });

  it('lie between the trained timesteps around the same alphas_cumprod', () => {
    const table = buildSchedule(list('alphas_cumprod', [0.99, 0.5, 0.0101]));
    const { timesteps } = snrMatchedTimesteps(table, stableDiffusion);
    timesteps.forEach((timestep, index) => {
      const value = table.alphas_cumprod[index] ?? 0;
      expect(stableDiffusion.alphas_cumprod[Math.floor(timestep)]).toBeGreaterThanOrEqual(value);
      expect(stableDiffusion.alphas_cumprod[Math.ceil(timestep)]).toBeLessThanOrEqual(value);
    });
  });

  it('count what lies outside the trained range: 50 steps of the literal reading, 30 of the β-reading', () => {
    expect(snrMatchedTimesteps(buildSchedule(arithmetic()), stableDiffusion).clamped).toBe(50);
    expect(snrMatchedTimesteps(buildSchedule(arithmetic({ of: 'betas' })), stableDiffusion).clamped).toBe(30);
  });
});

describe('Q of Eq. 37', () => {
  it('is the number itself where a number is given, and refuses one that is not positive (out_of_range)', () => {
    const table = buildSchedule(scaledLinear(50));
    expect(resolveQ(table, 12.5)).toBe(12.5);
    for (const q of [0, -1, Infinity, Number.NaN]) expect(thrown(() => resolveQ(table, q)).code).toBe('out_of_range');
  });

  it('per step has the expectation as its mean', () => {
    const table = buildSchedule(scaledLinear(50));
    const each = resolveQ(table, 'per-step') as number[];
    expect(each.reduce((sum, value) => sum + value, 0) / 50).toBeCloseTo(resolveQ(table, 'expectation') as number, 10);
  });
});
