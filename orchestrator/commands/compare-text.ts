/** A compared sweep as tables of text. */
import type { Interval } from '../convergence/bootstrap.ts';
import type { Difference, Measure } from '../report/compare-trials.ts';
import { meanOverTrials, type Setting, type SweepComparison, troubles } from '../report/sweep/comparison.ts';
import { describeSetting } from '../report/sweep/labels.ts';
import { numbersOf } from '../report/sweep/numbers.ts';
import { achievedToDeltaL, achievedToLowerBound, outcomeOf, type TrialRecord } from '../report/sweep/record.ts';
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

const textShown = (share: Interval | null): string => (share === null ? none : `${(100 * share.mean).toFixed(1)} %`);

const settingHead = [
  ...['by error', 'by drift', 'assignment', 'seeds', 'error px', 'error / primary', 'drift / primary', 'text shown'],
  ...['Q', 'loss / ΔL', 'loss / L*', 'minus the best', 'effect size', 'state'],
];

const settingRow = (setting: Setting, by: Measure): string[] => {
  const { ranked } = setting;
  const name = describeSetting(setting.assignment);
  const state = troubles(setting) || 'done';
  if (ranked === null) return [none, none, name, ...Array<string>(settingHead.length - 4).fill(none), state];
  return [
    String(ranked.rank.keypoint_error_px ?? none),
    String(ranked.rank.scene_drift ?? none),
    name,
    ranked.seeds.join(','),
    decimals(ranked.keypoint_error_px.mean, digitsOf.keypoint_error_px),
    interval(ranked.against_primary.keypoint_error_px?.ratio ?? null, 2),
    interval(ranked.against_primary.scene_drift?.ratio ?? null, 2),
    textShown(ranked.attribute_accuracy),
    short(meanOverTrials(setting, ({ loss }) => loss?.q)),
    decimals(meanOverTrials(setting, achievedToDeltaL), 2),
    decimals(meanOverTrials(setting, achievedToLowerBound), 2),
    difference(ranked.against_best, digitsOf[by]),
    decimals(ranked.against_best?.effect_size ?? null, 2),
    state,
  ];
};

/** The settings, ranked, each against the best; those without a trained adapter last, with the reason. */
export const settingTable = ({ settings, by }: SweepComparison): Table => [
  settingHead,
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
  'Intervals of 95 %: Student over seeds, or of one seed the bootstrap over its pairs. "minus the best": at the same seeds or pairs.',
  'effect size: the mean of these differences over their standard deviation (d_z).',
  'error and drift / primary: of means, secondary over primary adapter. Losses only beside their own ΔL and L*.',
];
