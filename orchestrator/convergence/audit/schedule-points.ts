import { resolveQ, type ScheduleTable } from '../../schedule/index.ts';
import { type AuditInput, type AuditPoint, say, sayPercent } from './point.ts';

/** Shares of t = 1 in Q above which one step decides it. */
const DOMINANT = 0.5;

const oneQ = (table: ScheduleTable, reading: 'expectation' | 'printed-sum'): number => Number(resolveQ(table, reading));

const clampWarning = ({ clamped, diagnostics }: ScheduleTable): string =>
  clamped.length === 0
    ? ''
    : ` eps sets ${sayPercent(diagnostics.clamped_share_of_q)} of it at t = ${clamped.join(', ')}: any Q could be had.`;

/** Point 8: the two sides of Eq. 37, and how much of Q each step makes. */
export const sidesOfQ = ({ table, verdict }: AuditInput): AuditPoint => {
  const { q_shares, clamped_share_of_q } = table.diagnostics;
  const [expectation, printed_sum] = [oneQ(table, 'expectation'), oneQ(table, 'printed-sum')];
  const largest = Math.max(...q_shares);
  const t = q_shares.indexOf(largest) + 1;
  return {
    point: 8,
    title: 'The two sides of Eq. 37 are not equal',
    numbers: {
      expectation,
      printed_sum,
      q: verdict.q,
      q_shares,
      share_of_first_step: q_shares[0] ?? null,
      clamped_share_of_q,
    },
    verdict: largest > DOMINANT || clamped_share_of_q > DOMINANT ? 'fails' : 'caution',
    sentence: `The left side of Eq. 37 is ${say(expectation)}, the right side as printed ${say(printed_sum)}; t = ${t} alone makes ${sayPercent(largest)} of Q.${clampWarning(table)}`,
  };
};

const count = (steps: readonly unknown[], what: string): string =>
  `${steps.length} of its steps ${steps.length === 1 ? 'is' : 'are'} ${what}`;

const scheduleSentence = ({ table, clamped_timesteps }: AuditInput, singular: number[]): string => {
  const { gain, monotone } = table.diagnostics;
  const [outside, largest] = [clamped_timesteps ?? 0, Math.max(...gain.map(value => value ?? Infinity))];
  const parts = [
    `The product of the alphas ${monotone ? 'falls at every step' : 'does not fall at every step'}`,
    count(singular, 'singular'),
    `an error of the U-Net grows ${Number.isFinite(largest) ? `up to ${say(largest)}-fold` : 'without bound'} in the one-step image`,
    ...(clamped_timesteps === null
      ? []
      : [`${outside} of ${table.num_steps} lie outside what the U-Net was trained on`]),
  ];
  return `${parts.join('; ')}.`;
};

/** Point 9: whether the schedule can be computed with, and whether the U-Net knows its steps. */
export const soundSchedule = (input: AuditInput): AuditPoint => {
  const { table, clamped_timesteps } = input;
  const { diagnostics } = table;
  const singular = [...new Set(table.singular.map(({ t }) => t))];
  const unknown = (clamped_timesteps ?? 0) > table.num_steps / 2;
  return {
    point: 9,
    title: 'The schedule',
    numbers: {
      singular_t: singular,
      dropped_t: table.dropped,
      terminal_snr: diagnostics.terminal_snr,
      gain: diagnostics.gain,
      clamped_timesteps,
      outside_float32_t: diagnostics.outside_float32,
      outside_float16_t: diagnostics.outside_float16,
    },
    verdict: unknown ? 'fails' : singular.length > 0 || (clamped_timesteps ?? 0) > 0 ? 'caution' : 'fine',
    sentence: scheduleSentence(input, singular),
  };
};
