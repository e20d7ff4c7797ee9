/** The main numbers of finished runs, side by side. */
import type { Interval } from '../convergence/bootstrap.ts';
import { timesOf } from '../report/sweep/record.ts';
import { type RunFolder, readText } from '../runs/index.ts';
import { type RunResult, readResult } from '../stages/report.ts';
import { formatTable } from './table.ts';

export type MainNumbers = Readonly<Record<string, number | boolean | string | null>>;

const meanOf = (found: Interval | null): number | null => found?.mean ?? null;

/** Losses stand beside the ΔL and L* of their own run: two runs' losses alone say nothing of each other. */
const numbersOf = ({ verdict, summary }: RunResult): MainNumbers => {
  const { primary, secondary } = summary;
  return {
    steps: verdict.steps,
    plateau: verdict.on_plateau,
    converged: verdict.converged,
    Q: verdict.q,
    ΔL: verdict.delta_l,
    'L*': verdict.lower_bound,
    loss: verdict.achieved.mean,
    'loss / ΔL': timesOf(verdict.achieved.mean, verdict.delta_l),
    'loss / L*': timesOf(verdict.achieved.mean, verdict.lower_bound),
    'keypoint error px': meanOf(secondary.keypoint_error_px),
    'keypoint error px, primary': meanOf(primary.keypoint_error_px),
    'scene drift': meanOf(secondary.scene_drift),
    'scene drift, primary': meanOf(primary.scene_drift),
    'text shown': meanOf(secondary.attribute_accuracy),
    'person found': meanOf(secondary.detection_rate),
  };
};

/** undefined before the run's end. Raises `corrupt_file`. */
export const mainNumbers = async (run: RunFolder): Promise<MainNumbers | undefined> =>
  (await readText(run.file('result.json'))) === undefined ? undefined : numbersOf(await readResult(run));

const shown = (value: MainNumbers[string] | undefined): string => {
  if (value === null || value === undefined) return '-';
  return typeof value === 'number' ? String(Number(value.toPrecision(6))) : value === true ? 'yes' : value || 'no';
};

const change = (before: MainNumbers[string] | undefined, after: MainNumbers[string] | undefined): string => {
  if (before === after) return '';
  if (typeof before !== 'number' || typeof after !== 'number') return 'differs';
  return `${after > before ? '+' : ''}${Number((after - before).toPrecision(4))}`;
};

/** A line for each number; a number that both have to the last bit has no difference. */
export const numbersTable = (heads: readonly [string, string], before: MainNumbers, after: MainNumbers): string =>
  formatTable([
    ['', ...heads, 'difference'],
    ...Object.keys(before).map(name => [
      name,
      shown(before[name]),
      shown(after[name]),
      change(before[name], after[name]),
    ]),
  ]);
