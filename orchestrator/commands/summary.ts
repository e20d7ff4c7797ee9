import type { ReportData } from '../report/data.ts';
import type { EvaluationSummary } from '../report/summary.ts';

type Numbers = Pick<ReportData, 'verdict' | 'summary'>;

const short = (value: number | null): string => (value === null ? 'not finite' : value.toPrecision(4));
const percent = (share: number | null): string => (share === null ? 'unknown' : `${(100 * share).toFixed(2)} %`);

const notTrained = ['verdict: not trained, the schedule leaves no gradient (report: audit, points 9 and 11)'];

const trainedLines = ({ converged, on_plateau, steps, achieved, ...rest }: ReportData['verdict']): string[] => [
  `verdict: ${converged ? 'converged' : 'not converged'} after ${steps} steps${on_plateau ? '' : ', no plateau yet'}`,
  `  loss ${short(achieved.mean)}; ΔL ${short(rest.delta_l)} (${percent(rest.error_to_delta_l)} off), ` +
    `L* ${short(rest.lower_bound)} (${percent(rest.error_to_lower_bound)} off), Q ${short(rest.q)}`,
];

const routeLine = (
  name: string,
  { keypoint_error_px, pck, detection_rate, scene_drift, attribute_accuracy }: EvaluationSummary['primary'],
): string => {
  const drift = scene_drift === null ? '' : `, scene drift ${short(scene_drift.mean)}`;
  const text = attribute_accuracy === null ? '' : `, text shown ${percent(attribute_accuracy.mean)}`;
  return `  ${name.padEnd(9)} keypoint error ${keypoint_error_px.mean.toFixed(2)} px, PCK@0.1 ${percent(pck.mean)}, found ${percent(detection_rate.mean)}${drift}${text}`;
};

/** The end of a run in a few lines: verdict, numbers of the three routes on held-out poses. */
export const summaryLines = ({ verdict, summary }: Numbers): string[] => {
  const { mean_difference, low, high, judgement } = summary.secondary_vs_primary.keypoint_error_px;
  return [
    ...(verdict.refused ? notTrained : trainedLines(verdict)),
    `held-out poses, ${summary.num_pairs} pairs, by the judge:`,
    routeLine('text only', summary.text_only),
    routeLine('primary', summary.primary),
    routeLine('secondary', summary.secondary),
    `  secondary - primary: ${mean_difference.toFixed(2)} px [${low.toFixed(2)}, ${high.toFixed(2)}]: ${judgement}`,
  ];
};
