import { oneMinus } from './steps.ts';
import type { ScheduleTable } from './table.ts';

export interface MatchedTimesteps {
  /** what the U-Net is given for each t: fractional, 0-based */
  timesteps: number[];
  /** how many t lie outside what the U-Net was trained on, and are held at its first or last timestep */
  clamped: number;
}

type Logs = Pick<ScheduleTable, 'log_alphas_cumprod'>;

/** ln of the noise-to-signal amplitude, ½·ln((1 − ᾱ)/ᾱ): rises with t and is nearly linear between timesteps. */
const logSigma = (log_alpha_cumprod: number | null): number =>
  log_alpha_cumprod === null ? Infinity : (Math.log(oneMinus(log_alpha_cumprod)) - log_alpha_cumprod) / 2;

/** The last index whose value is at most `target`; values ascend. */
const lastAtMost = (values: readonly number[], target: number): number => {
  let [low, high] = [0, values.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((values[middle] ?? Infinity) <= target) low = middle;
    else high = middle - 1;
  }
  return low;
};

const interpolate = (values: readonly number[], target: number): number => {
  const index = lastAtMost(values, target);
  const [below, above] = [values[index] ?? Number.NaN, values[index + 1]];
  return above === undefined || target === below ? index : index + (target - below) / (above - below);
};

/**
 * For each t the fractional timestep of the U-Net's training schedule with the same ᾱ, linear in ln σ between trained
 * timesteps and exact on them. Outside the trained range it is held at the end and counted.
 */
export const snrMatchedTimesteps = (table: Logs, trainTable: Logs): MatchedTimesteps => {
  const trained = trainTable.log_alphas_cumprod.map(logSigma);
  const [first, last] = [trained[0] ?? Number.NaN, trained.at(-1) ?? Number.NaN];
  const targets = table.log_alphas_cumprod.map(logSigma);
  const held = targets.map(target => Math.min(Math.max(target, first), last));
  return {
    timesteps: held.map(target => interpolate(trained, target)),
    clamped: targets.filter((target, index) => target !== held[index]).length,
  };
};
