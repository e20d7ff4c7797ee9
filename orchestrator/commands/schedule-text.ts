import { type SingularStep, singularQuantities } from '../schedule/index.ts';
import { plotSteps } from './plot.ts';
import type { ScheduleReport } from './schedule-report.ts';

const short = (value: number | null): string => {
  if (value === null) return 'not finite';
  return Math.abs(value) >= 1e6 ? value.toExponential(3) : String(Number(value.toPrecision(4)));
};
const percent = (share: number): string => `${Number((100 * share).toPrecision(3))} %`;

/** `1-3, 7` */
const ranges = (steps: readonly number[]): string => {
  const runs: [number, number][] = [];
  for (const t of steps) {
    const last = runs.at(-1);
    if (last?.[1] === t - 1) last[1] = t;
    else runs.push([t, t]);
  }
  return runs.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ');
};

interface Ranked {
  t: number;
  value: number;
}

const largest = (values: readonly (number | null)[], count: number): Ranked[] =>
  values
    .flatMap((value, index) => (value === null ? [] : [{ t: index + 1, value }]))
    .sort((a, b) => b.value - a.value)
    .slice(0, count);

const finite = (values: readonly (number | null)[]): number[] => values.filter(value => value !== null);

/** Of 10,000 steps: no spread, which would put them all on the stack. */
const spanOf = (values: readonly number[]): [number, number] =>
  values.reduce<[number, number]>(([low, high], v) => [Math.min(low, v), Math.max(high, v)], [Infinity, -Infinity]);

const describeSpan = (values: readonly number[]): string => {
  const [low, high] = spanOf(values);
  return low > high ? 'not finite' : `${short(low)} to ${short(high)}`;
};

const qLine = ({ q, method_q: { reading } }: ScheduleReport): string => {
  const texts = {
    expectation: short(q.expectation),
    'printed-sum': short(q['printed-sum']),
    'per-step': describeSpan(finite(q['per-step'])),
  };
  const each = Object.entries(texts).map(([name, text]) => `${name} ${text}${name === reading ? ' (in use)' : ''}`);
  return [...each, ...(typeof reading === 'number' ? [`${reading} as given (in use)`] : [])].join(', ');
};

const sharesLine = ({ diagnostics: { q_shares } }: ScheduleReport): string =>
  largest(q_shares, 4)
    .map(({ t, value }) => `t = ${t} ${percent(value)}`)
    .join(', ');

const what = ({ quantity, kind }: SingularStep): string => `${singularQuantities[quantity]} ${kind}`;

const singularLine = ({ singular }: ScheduleReport): string => {
  const kinds = [...new Set(singular.map(what))];
  const at = (kind: string) => ranges(singular.filter(step => what(step) === kind).map(({ t }) => t));
  return kinds.length === 0 ? 'none' : kinds.map(kind => `${kind} at t = ${at(kind)}`).join('; ');
};

const treatedLine = ({ dropped, clamped, config, diagnostics }: ScheduleReport): string | undefined => {
  if (dropped.length > 0) return `dropped, never trained on: t = ${ranges(dropped)}`;
  if (clamped.length === 0) return undefined;
  return `clamped at t = ${ranges(clamped)}: eps ${config.eps} sets ${percent(diagnostics.clamped_share_of_q)} of Q`;
};

const snrLine = ({ diagnostics: { terminal_snr } }: ScheduleReport): string =>
  terminal_snr === null ? 'infinite' : short(terminal_snr);

const gainLine = ({ diagnostics: { gain } }: ScheduleReport): string => {
  const [most] = largest(gain, 1);
  const infinite = gain.flatMap((value, index) => (value === null ? [index + 1] : []));
  const beyond = infinite.length === 0 ? '' : `, infinite at t = ${ranges(infinite)}`;
  return most === undefined ? beyond.slice(2) : `${short(most.value)} at t = ${most.t}${beyond}`;
};

const unetLine = ({ unet_timestep, timesteps, num_timesteps_clamped, num_steps }: ScheduleReport): string => {
  const span = `${unet_timestep}, ${describeSpan(timesteps)}`;
  return num_timesteps_clamped === null
    ? span
    : `${span}; ${num_timesteps_clamped} of ${num_steps} outside what it was trained on`;
};

/** A schedule at a glance, then ᾱ_t and the share of each t in Q as plots, at most `columns` wide. */
export const scheduleLines = (report: ScheduleReport, columns: number): string[] => {
  const rows: [string, string | undefined][] = [
    ['Q', qLine(report)],
    ['shares of Q', sharesLine(report)],
    ['singular steps', singularLine(report)],
    ['', treatedLine(report)],
    ['terminal SNR', snrLine(report)],
    ['largest gain', gainLine(report)],
    ['U-Net timesteps', unetLine(report)],
  ];
  const { kind, num_steps, config, alphas_cumprod, diagnostics } = report;
  return [
    `${kind}, T = ${num_steps}, singular: ${config.singular}`,
    ...rows.flatMap(([name, text]) => (text === undefined ? [] : [`  ${name.padEnd(16)}${text}`])),
    '',
    ...plotSteps('alphas_cumprod over t', alphas_cumprod, columns, 'value'),
    '',
    ...plotSteps('share of Q over t', diagnostics.q_shares, columns, 'share'),
  ];
};
