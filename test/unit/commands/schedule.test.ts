import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { showSchedule } from '../../../orchestrator/commands/schedule.ts';
import type { ScheduleReport } from '../../../orchestrator/commands/schedule-report.ts';
import { makeWorkspace, type Workspace } from '../config/workspace.ts';

interface Golden {
  singular_t: number[];
  singular_odds_t: number[];
  Q_expectation_dropping_singular: string;
  Q_printed_sum_dropping_singular: string;
  alphas: string[];
  alphas_cumprod: string[];
  w: (string | null)[];
  train_timesteps?: number[];
}

const golden: Record<string, Record<string, Golden>> = JSON.parse(readFileSync('test/golden/schedules.json', 'utf8'));
const progressions: Record<string, string> = {
  'patent-alphas-ascending': 'of=alphas order=ascending',
  'patent-alphas-descending': 'of=alphas order=descending',
  'patent-betas-ascending': 'of=betas order=ascending',
  'patent-alphas-cumprod-descending': 'of=alphas_cumprod order=descending',
};

/** The flags that choose an entry of the golden file. */
const flagsFor = (name: string): string[] => {
  const progression = progressions[name];
  const [, kind, spacing] = /^(\w+)-(\w+)$/.exec(name) ?? [];
  const words = progression === undefined ? `kind=${kind} spacing=${spacing}` : `kind=arithmetic ${progression}`;
  return `${words} singular=drop`.split(' ').map(word => `schedule.${word}`);
};

let workspace: Workspace;
let out: string[];
let err: string[];
beforeEach(() => {
  workspace = makeWorkspace();
  [out, err] = [[], []];
  vi.spyOn(console, 'log').mockImplementation((text: string) => void out.push(text));
  vi.spyOn(console, 'error').mockImplementation((text: string) => void err.push(text));
});
afterEach(() => {
  vi.restoreAllMocks();
  workspace.remove();
});

/** The one JSON object of the verb. */
const reportOf = async (file: string | undefined, ...set: string[]): Promise<ScheduleReport> => {
  out = [];
  expect(await showSchedule(file, { set, json: true })).toBe(0);
  expect(out).toHaveLength(1);
  return JSON.parse(out[0] ?? '');
};

const textOf = async (file: string | undefined, ...set: string[]): Promise<string> => {
  expect(await showSchedule(file, { set, json: false })).toBe(0);
  return out.join('\n');
};

const refusalOf = async (file: string | undefined, ...set: string[]): Promise<string> => {
  expect(await showSchedule(file, { set, json: false })).toBe(2);
  expect(out).toEqual([]);
  return err.join('\n');
};

const expectClose = (actual: readonly (number | null)[], expected: readonly (string | null)[]): void => {
  expect(actual).toHaveLength(expected.length);
  for (const [index, text] of expected.entries()) {
    const value = actual[index];
    if (text === null) expect(value).toBeNull();
    else expect(Math.abs((value ?? Number.NaN) - Number(text))).toBeLessThanOrEqual(1e-12 * Math.abs(Number(text)));
  }
};

const entries = Object.entries(golden).flatMap(([num_steps, named]) =>
  Object.entries(named).map(([name, expected]) => ({ num_steps, name, expected })),
);

describe('schedule --json', () => {
  it.each(entries)(
    'gives $name at T = $num_steps as 60-digit arithmetic does',
    async ({ num_steps, name, expected }) => {
      const found = await reportOf(undefined, ...flagsFor(name), `schedule.num_steps=${num_steps}`);
      expectClose(found.alphas, expected.alphas);
      expectClose(found.alphas_cumprod, expected.alphas_cumprod);
      expectClose(found.w, expected.w);
      expectClose([found.q.expectation], [expected.Q_expectation_dropping_singular]);
      expectClose([found.q['printed-sum']], [expected.Q_printed_sum_dropping_singular]);
      expect(found.dropped).toEqual(expected.singular_t);
      const infinite = found.singular.filter(({ quantity }) => quantity === 'q');
      expect(infinite.map(({ t, kind }) => [t, kind])).toEqual(expected.singular_odds_t.map(t => [t, 'infinite']));
      if (expected.train_timesteps) expect(found.train_timesteps).toEqual(expected.train_timesteps);
    },
  );

  it.each(entries)('gives a Q per step of $name at T = $num_steps whose sums are those of Eq. 37', async entry => {
    const { num_steps, name, expected } = entry;
    const { q } = await reportOf(undefined, ...flagsFor(name), `schedule.num_steps=${num_steps}`);
    const each = q['per-step'];
    const nulls = each.flatMap((value, index) => (value === null ? [index + 1] : []));
    expect(nulls).toEqual(expected.singular_odds_t);
    const sum = each.reduce((total: number, value) => total + (value ?? 0), 0);
    const weighted = each.reduce((total: number, value, index) => total + (index + 1) * (value ?? 0), 0);
    expect(sum / (each.length - nulls.length)).toBeCloseTo(Number(expected.Q_expectation_dropping_singular), 6);
    expect(weighted / Number(expected.Q_printed_sum_dropping_singular)).toBeCloseTo(1, 12);
  });

  it('keeps every array at length T under drop, with null where nothing finite stands', async () => {
    const found = await reportOf('configs/schedules/patent-beta.yaml');
    const { alphas, alphas_cumprod, log_alphas_cumprod, w, q, timesteps, diagnostics } = found;
    const arrays = [alphas, alphas_cumprod, log_alphas_cumprod, w, q['per-step'], timesteps, diagnostics.gain];
    expect(arrays.map(({ length }) => length)).toEqual(Array(7).fill(50));
    expect(found.dropped).toEqual([50]);
    expect([log_alphas_cumprod.at(-1), w.at(-1), diagnostics.gain.at(-1)]).toEqual([null, null, null]);
    expect(found.singular).toEqual([
      { t: 50, quantity: 'w', kind: 'infinite' },
      { t: 50, quantity: 'one_step_gain', kind: 'infinite' },
    ]);
  });

  it('takes a bare part, an experiment and a name for the same schedule', async () => {
    const experiment = workspace.write({ 'x.yaml': 'name: x\nschedule: patent-beta\n' });
    const found = await reportOf('configs/schedules/patent-beta.yaml');
    expect(await reportOf(experiment)).toEqual(found);
    expect(await reportOf(undefined, 'schedule=patent-beta')).toEqual(found);
  });

  it('changes one value of a bare part, of an experiment and of the default', async () => {
    const bare = workspace.write({ 'part.yaml': 'kind: scaled_linear\nnum_steps: 7\n' });
    const experiment = workspace.write({ 'x.yaml': 'name: x\nschedule: scaled-linear\n' });
    for (const file of [bare, experiment, undefined]) {
      const { num_steps, alphas, train_timesteps } = await reportOf(file, 'schedule.num_steps=12');
      expect([num_steps, alphas.length, train_timesteps?.length]).toEqual([12, 12, 12]);
    }
  });

  it('resolves the reading of Q that the experiment chose beside all others', async () => {
    expect((await reportOf(undefined)).method_q).toMatchObject({ reading: 'expectation' });
    expect((await reportOf(undefined, 'method.q=2.5')).method_q).toEqual({ reading: 2.5, value: 2.5 });
    const { method_q, q } = await reportOf('configs/schedules/patent-literal.yaml', 'method.q=per-step');
    expect(method_q).toEqual({ reading: 'per-step', value: q['per-step'] });
    expect(q['per-step'].at(-1)).toBeNull();
  });

  it('leaves the readings of Q null that do not exist when another is in use', async () => {
    const set = ['schedule.kind=list', 'schedule.values=[1, 1]', 'schedule.singular=drop', 'method.q=3'];
    const { q, method_q } = await reportOf(undefined, ...set);
    expect(q).toEqual({ expectation: null, 'printed-sum': null, 'per-step': [null, null] });
    expect(method_q.value).toBe(3);
  });

  it('gives the timesteps of the U-Net and how many are outside its training, 50 and 30 of the readings', async () => {
    expect((await reportOf('configs/schedules/patent-literal.yaml')).num_timesteps_clamped).toBe(50);
    expect((await reportOf('configs/schedules/patent-beta.yaml')).num_timesteps_clamped).toBe(30);
    const own = await reportOf(undefined);
    expect(own.num_timesteps_clamped).toBe(0);
    for (const [index, timestep] of own.timesteps.entries())
      expect(timestep).toBeCloseTo(own.train_timesteps?.[index] ?? Number.NaN, 6);
    const index = await reportOf(undefined, 'method.unet_timestep=index', 'schedule.num_steps=3');
    expect([index.timesteps, index.num_timesteps_clamped]).toEqual([[0, 1, 2], null]);
  });

  it('says which steps eps holds away from the singularity, and their share of Q', async () => {
    const found = await reportOf('configs/schedules/patent-literal.yaml', 'schedule.singular=clamp');
    expect(found.clamped).toEqual([50]);
    // Q ≈ 2/(T·eps) + rest: 40,000 of 40,007.
    expect(found.diagnostics.clamped_share_of_q).toBeCloseTo(1 - 7 / 40_007, 5);
  });

  it('works for T = 1, the last timestep of training', async () => {
    const found = await reportOf(undefined, 'schedule.num_steps=1');
    expect(found.train_timesteps).toEqual([999]);
    expect(found.diagnostics.q_shares).toEqual([1]);
    // Stable Diffusion's alphas_cumprod[999], as diffusers has it.
    expect(found.alphas_cumprod[0]).toBeCloseTo(0.0046601, 6);
  });

  it('works for T = 10,000, where alphas_cumprod underflows and its logarithm does not', async () => {
    const found = await reportOf('configs/schedules/patent-literal.yaml', 'schedule.num_steps=10000');
    expect([found.alphas.length, found.w.length, found.timesteps.length]).toEqual([10_000, 10_000, 10_000]);
    expect(found.singular.filter(({ kind }) => kind === 'underflow').length).toBeGreaterThan(9000);
    expect(found.log_alphas_cumprod).not.toContain(null);
  });
});

describe('schedule', () => {
  it('tells Q under every reading, singular steps and the range of the U-Net, and plots plain lines', async () => {
    const text = await textOf('configs/schedules/patent-beta.yaml');
    for (const reading of ['expectation 2007 (in use)', 'printed-sum', 'per-step', 't = 1 99.7 %', '30 of 50'])
      expect(text).toContain(reading);
    expect(text).toMatch(/dropped.*t = 50/);
    expect(text).not.toContain('\u001b');
  });

  it('thins a long schedule to the width there is', async () => {
    const text = await textOf('configs/schedules/patent-literal.yaml', 'schedule.num_steps=10000');
    const plots = text.slice(text.indexOf('alphas_cumprod over t')).split('\n');
    expect(Math.max(...plots.map(line => line.length))).toBeLessThanOrEqual(80);
  });

  it('leaves room for the labels of a plot with a single value', async () => {
    const text = await textOf(undefined, 'schedule.kind=list', 'schedule.values=[0.8]');
    expect(text).toContain('0.8┤');
    expect(text).toContain('0.4┤');
    expect(text).toContain('50 %┤');
  });
});

describe('schedule refuses', () => {
  it('a singular schedule at the key that says what to do with it', async () => {
    const file = workspace.write({ 'part.yaml': '# mine\nkind: arithmetic\nof: alphas\nsingular: error\n' });
    expect(await refusalOf(file)).toMatch(/part\.yaml:4:11 singular_schedule.*\n.*\n.*\n *hint: /);
  });

  it('a singular schedule that flags made, at the flag', async () => {
    expect(await refusalOf(undefined, 'schedule.kind=arithmetic')).toMatch(/^--set:1:1 singular_schedule/);
  });

  it('a wrong key and a wrong value of a bare part at their line and column', async () => {
    const file = workspace.write({ 'part.yaml': 'kind: linear\nnum_step: 3\nspacing: leding\n' });
    expect((await refusalOf(file)).match(/part\.yaml:\d+:\d+ \w+/g)).toEqual([
      'part.yaml:2:1 unknown_key',
      'part.yaml:3:10 unknown_value',
    ]);
  });

  it.each([
    ['a part of another kind', 'configs/detectors/mini.yaml', [], /mini\.yaml:2:7 unknown_value/],
    ['a file that is not there', 'nowhere.yaml', [], /nowhere\.yaml:1:1 missing_file/],
    ['a name that is not there', undefined, ['schedule=patent-beat'], /^--set:1:10 unknown_config/],
    ['more steps than were trained', undefined, ['schedule.num_steps=1001'], /^--set:1:\d+ out_of_range/],
    ['no steps', undefined, ['schedule.num_steps=0'], /^--set:1:\d+ out_of_range/],
    [
      'a progression that is no diffusion',
      undefined,
      ['schedule.kind=arithmetic', 'schedule.of=betas', 'schedule.order=descending'],
      /^--set:1:\d+ refused_combination/,
    ],
    [
      'more steps than the backbone has timesteps to give',
      'configs/schedules/patent-beta.yaml',
      ['schedule.num_steps=1001', 'method.unet_timestep=index'],
      /^--set:1:22 refused_combination/,
    ],
    [
      'a schedule in which no step adds noise',
      undefined,
      ['schedule.kind=list', 'schedule.values=[1]', 'schedule.singular=drop'],
      /^--set:1:\d+ singular_schedule/,
    ],
  ])('%s', async (_what, file, set, expected) => {
    expect(await refusalOf(file, ...set)).toMatch(expected);
  });

  it('with the diagnostics as one JSON object', async () => {
    expect(await showSchedule(undefined, { set: ['schedule.kind=arithmetic'], json: true })).toBe(2);
    expect(JSON.parse(out.join(''))).toMatchObject({
      diagnostics: [{ code: 'singular_schedule', path: 'schedule.singular', file: '--set', line: 1, column: 1 }],
    });
    expect(err).toEqual([]);
  });
});
