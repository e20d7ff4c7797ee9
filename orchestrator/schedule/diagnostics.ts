import { oneMinus } from './steps.ts';
import type { ScheduleDiagnostics, ScheduleTable } from './table.ts';

type Undiagnosed = Omit<ScheduleTable, 'diagnostics'>;

/** Smallest normal number and half the spacing just below 1. */
const formats = { float32: { tiny: 2 ** -126, ulp: 2 ** -25 }, float16: { tiny: 2 ** -14, ulp: 2 ** -12 } };

const outside = ({ log_alphas_cumprod }: Undiagnosed, { tiny, ulp }: { tiny: number; ulp: number }): number[] =>
  log_alphas_cumprod.flatMap((log, index) => {
    if (log === null || log === 0) return [];
    return log < Math.log(tiny) || oneMinus(log) <= ulp ? [index + 1] : [];
  });

const shares = (odds: readonly (number | null)[]): number[] => {
  const sum = odds.reduce((total: number, value) => total + (value ?? 0), 0);
  return odds.map(value => (sum > 0 ? (value ?? 0) / sum : 0));
};

const gainOf = (log: number | null): number | null => {
  if (log === null) return null;
  const gain = Math.sqrt(oneMinus(log)) * Math.exp(-log / 2);
  return Number.isFinite(gain) ? gain : null;
};

const terminalSnr = (log: number | null): number | null => {
  if (log === null) return 0;
  return log === 0 ? null : Math.exp(log) / oneMinus(log);
};

/** Diagnostics of a table (audit, points 8 and 9). */
export const diagnose = (table: Undiagnosed): ScheduleDiagnostics => {
  const { log_alphas_cumprod: logs, odds, clamped } = table;
  const q_shares = shares(odds);
  return {
    monotone: table.alphas.every(alpha => alpha < 1) && !logs.slice(0, -1).includes(null),
    terminal_snr: terminalSnr(logs.at(-1) ?? null),
    gain: logs.map(gainOf),
    q_shares,
    clamped_share_of_q: clamped.reduce((sum, t) => sum + (q_shares[t - 1] ?? 0), 0),
    outside_float32: outside(table, formats.float32),
    outside_float16: outside(table, formats.float16),
  };
};
