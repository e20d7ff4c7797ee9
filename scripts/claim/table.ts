/** The rows of `npm run claim` as text. */
import type { Interval } from '../../orchestrator/convergence/bootstrap.ts';
import type { EvaluationSummary } from '../../orchestrator/report/summary.ts';
import type { Setting } from './settings.ts';

export interface Row {
  setting: Setting;
  summary: EvaluationSummary;
  per_seed: readonly EvaluationSummary[];
}

const interval = ({ mean, low, high }: Interval, digits: number): string =>
  `${mean.toFixed(digits)} [${low.toFixed(digits)}, ${high.toFixed(digits)}]`;

const ratio = (found: Interval | null | undefined): string => (found ? interval(found, 2) : '–');

const points = ({ secondary_vs_primary: { attribute_accuracy } }: EvaluationSummary): string => {
  if (attribute_accuracy === null) return '–';
  const { mean_difference, low, high } = attribute_accuracy;
  return interval({ mean: 100 * mean_difference, low: 100 * low, high: 100 * high }, 1);
};

const cells = ({ setting: { objective, weight, latents }, summary, per_seed }: Row): string[] => {
  const { keypoint_error_px, scene_drift } = summary.secondary_vs_primary;
  const seeds = per_seed.map(one => one.secondary_vs_primary.keypoint_error_px.ratio?.mean.toFixed(2) ?? '–');
  return [
    objective,
    weight === null ? '–' : String(weight),
    latents,
    `${summary.primary.keypoint_error_px.mean.toFixed(2)} → ${summary.secondary.keypoint_error_px.mean.toFixed(2)}`,
    ratio(keypoint_error_px.ratio),
    ratio(scene_drift?.ratio),
    points(summary),
    seeds.join(' '),
  ];
};

const head = [
  'objective',
  'weight',
  'states',
  'error px',
  'error ratio',
  'drift ratio',
  'text, points',
  'error ratio of each seed',
];

const line = (row: readonly string[]): string => `| ${row.join(' | ')} |`;

export const printRow = (row: Row): void => console.error(line(cells(row)));

/** As Markdown: secondary against primary, ratios of means with 95 % intervals over all seeds' pairs. */
export const printTable = (rows: readonly Row[]): void =>
  console.log([line(head), line(head.map(() => '---')), ...rows.map(row => line(cells(row)))].join('\n'));
