import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Schedule } from '../../../orchestrator/contracts/schedule.ts';
import { buildSchedule, resolveQ } from '../../../orchestrator/schedule/index.ts';

interface Golden {
  T: number;
  singular_t: number[];
  singular_odds_t: number[];
  singular_w_t: number[];
  Q_expectation_dropping_singular: string;
  Q_printed_sum_dropping_singular: string;
  alphas: string[];
  alphas_cumprod: string[];
  w: (string | null)[];
  train_timesteps?: number[];
}

const golden: Record<string, Record<string, Golden>> = JSON.parse(readFileSync('test/golden/schedules.json', 'utf8'));
const betaRanges = {
  scaled_linear: [0.00085, 0.012],
  linear: [0.0001, 0.02],
  squaredcos_cap_v2: [0.0001, 0.02],
} as const;
const pretrainedKinds = Object.keys(betaRanges) as (keyof typeof betaRanges)[];
const progressions = {
  'patent-alphas-ascending': ['alphas', 'ascending'],
  'patent-alphas-descending': ['alphas', 'descending'],
  'patent-betas-ascending': ['betas', 'ascending'],
  'patent-alphas-cumprod-descending': ['alphas_cumprod', 'descending'],
} as const;

const configs = (num_steps: number): [string, Schedule][] => {
  const rest = { num_steps, singular: 'drop', eps: 1e-6 } as const;
  const pretrained = pretrainedKinds.flatMap(kind =>
    (['leading', 'trailing', 'linspace'] as const).map((spacing): [string, Schedule] => {
      const [beta_start, beta_end] = betaRanges[kind];
      return [`${kind}-${spacing}`, { kind, spacing, num_train_timesteps: 1000, beta_start, beta_end, ...rest }];
    }),
  );
  const arithmetic = Object.entries(progressions).map(([name, [of, order]]): [string, Schedule] => [
    name,
    { kind: 'arithmetic', of, order, start: 0.00002, end: 1, ...rest },
  ]);
  return [...arithmetic, ...pretrained];
};

const expectClose = (actual: readonly (number | null)[], expected: readonly (string | null)[]): void => {
  expect(actual).toHaveLength(expected.length);
  for (const [index, text] of expected.entries()) {
    const value = actual[index];
    if (text === null) expect(value).toBeNull();
    else expect(Math.abs((value ?? Number.NaN) - Number(text))).toBeLessThanOrEqual(1e-12 * Math.abs(Number(text)));
  }
};

const reference = (num_steps: number, name: string): Golden => {
  const found = golden[num_steps]?.[name];
  if (found === undefined) throw new Error(`${name} is not in the golden file`);
  return found;
};

describe.each([10, 50])('schedules of %i steps against 60-digit arithmetic', num_steps => {
  it.each(configs(num_steps))('%s agrees to 1e-12', (name, config) => {
    const expected = reference(num_steps, name);
    const table = buildSchedule(config);
    expectClose(table.alphas, expected.alphas);
    expectClose(table.alphas_cumprod, expected.alphas_cumprod);
    expectClose(
      table.log_alphas_cumprod.map(log => Math.exp(log ?? -Infinity)),
      expected.alphas_cumprod,
    );
    expectClose(table.w, expected.w);
    expectClose([Number(resolveQ(table, 'expectation'))], [expected.Q_expectation_dropping_singular]);
    expectClose([Number(resolveQ(table, 'printed-sum'))], [expected.Q_printed_sum_dropping_singular]);
    if (expected.train_timesteps) expect(table.train_timesteps).toEqual(expected.train_timesteps);
  });

  it.each(configs(num_steps))('%s has the same singular steps', (name, config) => {
    const expected = reference(num_steps, name);
    const { singular, dropped } = buildSchedule(config);
    const of = (quantity: string) => singular.filter(step => step.quantity === quantity).map(({ t }) => t);
    expect(of('q')).toEqual(expected.singular_odds_t);
    expect(of('w')).toEqual(expected.singular_w_t);
    expect(dropped).toEqual(expected.singular_t);
  });

  it('leaves no entry of the golden file out', () => {
    expect(
      configs(num_steps)
        .map(([name]) => name)
        .sort(),
    ).toEqual(Object.keys(golden[num_steps] ?? {}).sort());
  });
});
