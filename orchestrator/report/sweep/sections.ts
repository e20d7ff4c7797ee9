/** The sections of a sweep's page. */
import type { SingularNote } from '../../contracts/sweep.ts';
import type { Interval } from '../../convergence/bootstrap.ts';
import type { Difference, RankedGroup } from '../compare-trials.ts';
import { type Html, html } from '../html.ts';
import { table } from '../sections/table.ts';
import { duration, number, percent } from '../text.ts';
import { intervalText } from '../words.ts';
import { axesOf, cellsOf, pairsOfAxes, type SweepAxis } from './axes.ts';
import { meanOverTrials, type Setting, type SweepComparison, troubles } from './comparison.ts';
import { describeSetting, settingName } from './labels.ts';
import { numbersOf } from './numbers.ts';
import { heatMap, parallelPlot, tradeOffPlot } from './plots.ts';
import {
  achievedToDeltaL,
  achievedToLowerBound,
  isTrained,
  meanOfSecondary,
  outcomeOf,
  type TrialRecord,
} from './record.ts';

const none = '–';

const withInterval = (found: Interval | null | undefined, format = (value: number) => number(value, 3)): Html =>
  found
    ? html`<b>${format(found.mean)}</b> <span class="interval">${format(found.low)} to ${format(found.high)}</span>`
    : html`${none}`;

const differenceCell = (found: Difference | null): Html =>
  found === null
    ? html`${none}`
    : html`${withInterval({ ...found, mean: found.mean_difference })} <span class="interval">${found.judgement}, ${found.num} by ${found.paired_by}${found.effect_size === null ? '' : `, d_z ${number(found.effect_size, 2)}`}</span>`;

const rankedCells = (ranked: RankedGroup): (Html | string)[] => [
  withInterval(ranked.keypoint_error_px),
  withInterval(ranked.against_primary.keypoint_error_px?.ratio),
  withInterval(ranked.scene_drift),
  withInterval(ranked.against_primary.scene_drift?.ratio),
  withInterval(ranked.attribute_accuracy, value => percent(value)),
  differenceCell(ranked.against_best),
  ranked.seeds.join(', '),
];

const settingRow = (setting: Setting, index: number): (Html | string)[] => {
  const { ranked, assignment } = setting;
  const cells = ranked === null ? Array<string>(7).fill(none) : rankedCells(ranked);
  return [
    ranked === null ? none : String(index + 1),
    html`<code>${describeSetting(assignment)}</code>`,
    ...cells,
    troubles(setting) || none,
  ];
};

const rankingHead = ['#', 'Setting', 'Error, px', '× primary', 'Drift', '× primary', 'Text shown'];

/** The settings, the best first, with what that comes to. */
export const rankingSection = (comparison: SweepComparison): Html =>
  html`<section id="ranking"><h2>Ranking</h2>
${comparison.conclusion !== null && html`<p><strong>${comparison.conclusion}</strong></p>`}
<div class="numbers">${table(
    'Settings by the secondary adapter on held-out poses, by the judge. Intervals of 95 %: Student’s over seeds, or of a single seed the bootstrap over its held-out pairs. Less is better, but for the text. d_z: mean of the paired differences over their standard deviation',
    [...rankingHead, 'Minus the best', 'Seeds', 'State'],
    comparison.settings.map(settingRow),
  )}</div></section>`;

const plot = (title: string, picture: Html, note: Html | string): Html =>
  html`<figure class="plot"><h3>${title}</h3>${picture}<figcaption>${note}</figcaption></figure>`;

/** What the pose costs the scene. */
export const tradeOffSection = ({ settings }: SweepComparison): Html =>
  html`<section id="trade-off"><h2>Trade-off</h2>
<div class="single">${plot('Error against drift', tradeOffPlot(settings), 'Both as multiples of the primary adapter’s, which stands at (1, 1); numbers as in the ranking; of many settings only those that no other one beats in both have theirs. Bars are 95 % intervals. Down is nearer to the pose, left is a steadier scene.')}</div>
</section>`;

const pairPlots = (pair: readonly [SweepAxis, SweepAxis], trials: readonly TrialRecord[]): Html => {
  const errors = cellsOf(trials, pair, trial => meanOfSecondary(trial, 'keypoint_error_px'));
  const drifts = cellsOf(trials, pair, trial => meanOfSecondary(trial, 'scene_drift'));
  const names = `${pair[0].path} and ${pair[1].path}`;
  const axes = html`Across: <code>${pair[0].path}</code>, down: <code>${pair[1].path}</code>; means over all other axes and seeds.`;
  return html`${plot(`Error by ${names}`, heatMap(pair, errors, 'Mean keypoint error in px'), html`Held-out keypoint error, px. ${axes}`)}
${drifts.length > 0 && plot(`Drift by ${names}`, heatMap(pair, drifts, 'Mean scene drift'), html`Scene drift. ${axes}`)}`;
};

/** Heat maps of each two axes, and all axes at once. */
export const axesSection = ({ trials }: SweepComparison): Html => {
  const trained = trials.filter(isTrained);
  const axes = axesOf(trials);
  const pairs = pairsOfAxes(axes);
  return html`<section id="axes"><h2>Axes</h2>
${pairs.length === 0 && html`<p>Fewer than two axes have several values: there is no pair to draw a heat map of.</p>`}
<div class="plots">${pairs.map(pair => pairPlots(pair, trained))}</div>
${trained.length > 0 && html`<div class="single">${plot('All axes', parallelPlot(axes, trained), 'One line for each trained trial; the stronger it is, the smaller its error. Values of an axis stand at equal distances.')}</div>`}
</section>`;
};

/** `t 1, 50 (Q infinite: drop)`; a dash where every step can be computed. */
export const singularText = (notes: readonly SingularNote[]): string => {
  const kinds = new Map<string, number[]>();
  for (const { t, quantity, kind, handled } of notes) {
    const key = `${quantity} ${kind}: ${handled}`;
    kinds.set(key, [...(kinds.get(key) ?? []), t]);
  }
  const steps = (ts: readonly number[]) => (ts.length > 6 ? `${ts.slice(0, 6).join(', ')}, …` : ts.join(', '));
  return [...kinds].map(([key, ts]) => `t ${steps(ts)} (${key})`).join('; ') || none;
};

const scheduleName = ({ assignment, trials: [first] }: Setting): string => {
  const own = Object.entries(assignment).filter(([path]) => path.split('.')[0] === 'schedule');
  if (own.length > 0) return settingName(Object.fromEntries(own));
  return first === undefined ? '' : `${first.schedule.kind}`;
};

const lossRow = (setting: Setting): (Html | string)[] => {
  const { trials, assignment, ranked } = setting;
  const losses = trials.flatMap(({ loss }) => loss ?? []);
  const rest = Object.entries(assignment).filter(([path]) => path.split('.')[0] !== 'schedule');
  const [first] = trials;
  return [
    scheduleName(setting),
    rest.length === 0 ? none : html`<code>${describeSetting(Object.fromEntries(rest))}</code>`,
    number(meanOverTrials(setting, ({ loss }) => loss?.q)),
    number(meanOverTrials(setting, ({ loss }) => loss?.delta_l)),
    number(meanOverTrials(setting, ({ loss }) => loss?.lower_bound)),
    number(meanOverTrials(setting, ({ loss }) => loss?.achieved)),
    number(meanOverTrials(setting, achievedToDeltaL), 3),
    number(meanOverTrials(setting, achievedToLowerBound), 3),
    `${losses.filter(({ converged }) => converged).length} of ${trials.length}`,
    ranked === null ? troubles(setting) : intervalText(ranked.keypoint_error_px),
    ranked?.scene_drift ? intervalText(ranked.scene_drift) : none,
    singularText(first?.singular ?? []),
  ];
};

const lossHead = ['Schedule', 'Else', 'Q', 'ΔL', 'L*', 'Loss', 'Loss / ΔL', 'Loss / L*', 'Converged', 'Error, px'];

/** Each schedule with its theory values: losses of two schedules are never compared with each other. */
export const schedulesSection = ({ settings }: SweepComparison): Html => {
  const ordered = settings.toSorted((a, b) => scheduleName(a).localeCompare(scheduleName(b)));
  return html`<section id="schedules"><h2>Schedules</h2>
<div class="numbers">${table(
    'A loss means something beside the ΔL and L* of its own schedule alone: read along a row, not down a column. Means over seeds',
    [...lossHead, 'Drift', 'Singular steps'],
    ordered.map(lossRow),
  )}</div></section>`;
};

const trialRow = (trial: TrialRecord): (Html | string)[] => {
  const { id, assignment, report, train_seconds, evaluate_seconds, peak_memory_mb } = trial;
  const { keypoint_error_px, keypoint_error_ratio, scene_drift, scene_drift_ratio } = numbersOf(trial);
  const time = (seconds: number | null) => (seconds === null ? none : duration(seconds));
  return [
    report === null ? html`<code>${id}</code>` : html`<a href="${report}"><code>${id}</code></a>`,
    html`<code>${describeSetting(assignment)}</code>`,
    outcomeOf(trial),
    number(keypoint_error_px, 3),
    withInterval(keypoint_error_ratio),
    number(scene_drift, 3),
    withInterval(scene_drift_ratio),
    time(train_seconds),
    time(evaluate_seconds),
    peak_memory_mb === null ? none : `${number((peak_memory_mb * 2 ** 20) / 1e9, 3)} GB`,
  ];
};

const trialHead = ['Trial', 'Assignment', 'State', 'Error, px', '× primary', 'Drift', '× primary', 'Training'];

/** Every trial with a link to its own report. */
export const trialsSection = ({ trials }: SweepComparison): Html =>
  html`<section id="trials"><h2>Trials</h2>
<div class="numbers">${table(
    'Every trial; a linked one has a report of its own. Multiples of the primary: of means, held-out pairs resampled',
    [...trialHead, 'Evaluation', 'Peak memory'],
    trials.map(trialRow),
  )}</div></section>`;
