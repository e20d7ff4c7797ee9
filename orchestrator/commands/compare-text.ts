/** A compared sweep as tables of text. */
import type { Interval } from '../convergence/bootstrap.ts';
import type { Difference, Measure } from '../report/compare-trials.ts';
import { type Setting, type SweepComparison, troubles } from '../report/sweep/comparison.ts';
import { describeSetting } from '../report/sweep/labels.ts';
import { numbersOf } from '../report/sweep/numbers.ts';
import { outcomeOf, type TrialRecord } from '../report/sweep/record.ts';
import { formatDuration } from './table.ts';

type Table = readonly (readonly string[])[];

const none = '-';
const digitsOf: Record<Measure, number> = { keypoint_error_px: 2, scene_drift: 4 };

const decimals = (value: number | null, digits: number): string => (value === null ? none : value.toFixed(digits));

const interval = (found: Interval | null, digits: number): string =>
  found === null ? none : `${found.mean.toFixed(digits)} [${found.low.toFixed(digits)}, ${found.high.toFixed(digits)}]`;

const difference = (found: Difference | null, digits: number): string =>
  found === null
    ? none
    : `${interval({ ...found, mean: found.mean_difference }, digits)} ${found.judgement}, by ${found.paired_by}`;

const textShown = (share: Interval | null): string => {
  if (share === null) return none;
  const [mean, low, high] = [share.mean, share.low, share.high].map(value => (100 * value).toFixed(1));
  return `${mean} [${low}, ${high}] %`;
};

const settingHead = ['by error', 'by drift', 'assignment', 'seeds', 'error px', 'scene drift', 'text shown'];

const settingRow = (setting: Setting, by: Measure): string[] => {
  const { ranked } = setting;
  const name = describeSetting(setting.assignment);
  const state = troubles(setting) || 'done';
  if (ranked === null) return [none, none, name, none, none, none, none, none, none, state];
  return [
    String(ranked.rank.keypoint_error_px ?? none),
    String(ranked.rank.scene_drift ?? none),
    name,
    ranked.seeds.join(','),
    interval(ranked.keypoint_error_px, digitsOf.keypoint_error_px),
    interval(ranked.scene_drift, digitsOf.scene_drift),
    textShown(ranked.attribute_accuracy),
    difference(ranked.against_best, digitsOf[by]),
    decimals(ranked.against_best?.effect_size ?? null, 2),
    state,
  ];
};

/** The settings, ranked, each against the best; those without a trained adapter last, with the reason. */
export const settingTable = ({ settings, by }: SweepComparison): Table => [
  [...settingHead, 'minus the best', 'effect size', 'state'],
  ...settings.map(setting => settingRow(setting, by)),
];

const yesNo = (value: boolean | undefined): string => (value === undefined ? none : value ? 'yes' : 'no');
const seconds = (value: number | null): string => (value === null ? none : formatDuration(value));
const memory = (mb: number | null): string => (mb === null ? none : `${((mb * 2 ** 20) / 1e9).toFixed(1)} GB`);
const short = (value: number | null | undefined): string =>
  value === null || value === undefined ? none : String(Number(value.toPrecision(4)));

const trialHead = ['trial', 'assignment', 'state', 'error / primary', 'drift / primary', 'loss / ΔL', 'loss / L*'];

const trialRow = (trial: TrialRecord): string[] => {
  const numbers = numbersOf(trial);
  return [
    trial.id,
    describeSetting(trial.assignment),
    outcomeOf(trial),
    interval(numbers.keypoint_error_ratio, 2),
    interval(numbers.scene_drift_ratio, 2),
    decimals(numbers.achieved_to_delta_l, 3),
    decimals(numbers.achieved_to_lower_bound, 3),
    short(trial.loss?.q),
    yesNo(trial.loss?.converged),
    seconds(trial.train_seconds),
    seconds(trial.evaluate_seconds),
    memory(trial.peak_memory_mb),
  ];
};

/** Every trial: both adapters pair by pair, its loss beside its own ΔL and L*, and what it has cost. */
export const trialTable = ({ trials }: Pick<SweepComparison, 'trials'>): Table => [
  [...trialHead, 'Q', 'converged', 'training', 'evaluation', 'peak memory'],
  ...trials.map(trialRow),
];

/** What the words of the tables mean. */
export const legend = [
  'Intervals of 95 %, bootstrap. "minus the best": at the same seeds, or the same pairs where there is one seed.',
  'effect size: the mean of these differences over their standard deviation (d_z).',
  'error and drift / primary: of means, secondary over primary adapter, held-out pairs resampled. Losses only beside their own ΔL and L*.',
];
