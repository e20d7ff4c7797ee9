import { join } from 'node:path';
import type { EvaluateResult, JudgedImage } from '../../contracts/results.ts';
import type { Interval } from '../../convergence/bootstrap.ts';
import type { ReportData, ShownSample } from '../data.ts';
import { composeFigure, errorText } from '../figure3.ts';
import { type Html, html, raw } from '../html.ts';
import { pngUri, thumbnailUri } from '../images.ts';
import { routeNames, routes } from '../plots.ts';
import { skeletonLines } from '../skeleton.ts';
import type { EvaluationSummary, RouteSummary } from '../summary.ts';
import { number, percent } from '../text.ts';
import { spreadPlots } from './curves.ts';

/** Fig. 3, drawn anew from the same result as figures/fig3.svg. */
export const figureSection = ({ figure, folders }: ReportData): Html => {
  const { svg } = composeFigure(figure, folders.figures);
  return html`<section id="figure"><h2>Figure 3</h2>
<figure class="wide" tabindex="0" role="group" aria-label="Figure 3, scrolls sideways on a narrow page">${raw(svg)}</figure>
<p class="note">One prompt, one noise, one pose under one sampler; errors by the held-out judge. Also in <code>figures/fig3.svg</code> and <code>figures/fig3.png</code>.</p>
</section>`;
};

const cell = (interval: Interval | null, format: (value: number) => string): Html =>
  interval === null
    ? html`<td>–</td>`
    : html`<td><b>${format(interval.mean)}</b> <span class="interval">${format(interval.low)} to ${format(interval.high)}</span></td>`;

const measures: { name: string; value: (route: RouteSummary) => Interval | null; format: (value: number) => string }[] =
  [
    { name: 'Keypoint error, px (judge)', value: route => route.keypoint_error_px, format: value => value.toFixed(2) },
    {
      name: 'Keypoint error, px (detector in the loss)',
      value: route => route.in_loss_error_px,
      format: value => value.toFixed(2),
    },
    { name: 'PCK@0.1 (judge)', value: route => route.pck, format: value => percent(value) },
    { name: 'Person found (judge)', value: route => route.detection_rate, format: value => percent(value) },
    { name: 'Scene drift (0 … 2)', value: route => route.scene_drift, format: value => number(value, 3) },
    { name: 'Scene SSIM', value: route => route.scene_ssim, format: value => value.toFixed(3) },
    { name: 'Text shown: shirt, scene', value: route => route.attribute_accuracy, format: value => percent(value) },
  ];

const row = (summary: EvaluationSummary, { name, value, format }: (typeof measures)[number]): Html =>
  html`<tr><th scope="row">${name}</th>${routes.map(route => cell(value(summary[route]), format))}</tr>`;

/** The table over all held-out pairs, in-loss detector beside the judge. */
export const resultsSection = (data: ReportData): Html => {
  const { summary, experiment, evaluate } = data;
  return html`<section id="results"><h2>Held-out poses</h2>
<div class="scroll" tabindex="0" role="group" aria-label="Results table"><table class="numbers">
<caption><span>Means over ${summary.num_pairs} pairs with ${percent(summary.confidence, 0)} bootstrap intervals (pairs resampled). Pictures without a person keep the error that they have. Pictures are ${evaluate.image_size} px wide.</span></caption>
<thead><tr><th scope="col">Measure</th>${routes.map(route => html`<th scope="col"><span class="swatch" style="background: var(--${route.replace('_', '-')})"></span>${routeNames[route]}</th>`)}</tr></thead>
<tbody>${measures.map(measure => row(summary, measure))}</tbody></table></div>
<p class="note">The judge (<code>${experiment.judge.kind}</code>) is not in the loss, the detector (<code>${experiment.detector.kind}</code>) is: where only the latter improves, the pictures have learnt to please the detector. Scene drift: same prompt and noise, two poses, mean absolute difference outside both figures; scene SSIM: their structural similarity there, 1 for the same.</p>
${spreadPlots(data)}
</section>`;
};

/** Of the evaluated pairs the first ones are shown. */
export const maxPairs = 24;

type EvaluatedPair = EvaluateResult['pairs'][number];

interface Sheet {
  size: number;
  data: ReportData;
}

const tile = ({ size }: Sheet, picture: string, label: string, overlay: Html | null): Html =>
  html`<svg viewBox="0 0 ${size} ${size}" role="img" aria-label="${label}"><image href="${picture}" width="${size}" height="${size}"/>${overlay}</svg>`;

const judgedTile = (sheet: Sheet, judged: JudgedImage, target: ShownSample | undefined, label: string): Html => {
  const lines = target ? skeletonLines(target.keypoints, sheet.size / 110) : null;
  const picture = thumbnailUri(join(sheet.data.folders.evaluate, judged.image), sheet.size);
  return html`<td>${tile(sheet, picture, `${label}: ${errorText(judged)}`, lines)}<span>${errorText(judged)}</span></td>`;
};

const controlTile = (sheet: Sheet, target: ShownSample | undefined): Html =>
  target
    ? html`<td>${tile(sheet, pngUri(target.png.control, sheet.data.manifest.image_size), `control map: ${target.pose}`, null)}<span>${target.pose}</span></td>`
    : html`<td>–</td>`;

const pairRow = (sheet: Sheet, pair: EvaluatedPair, index: number): Html => {
  const target = sheet.data.samples.find(({ id }) => id === pair.b);
  const imageA = thumbnailUri(join(sheet.data.folders.evaluate, pair.image_a), sheet.size);
  return html`<tr><th scope="row">${index + 1}<span class="prompt">${pair.prompt}</span></th>
<td>${tile(sheet, imageA, 'image A: primary with pose A', null)}<span>pose A</span></td>
${controlTile(sheet, target)}${routes.map(route => judgedTile(sheet, pair[route], target, routeNames[route]))}</tr>`;
};

const sheetTable = (rows: readonly Html[], label: string): Html =>
  html`<div class="scroll" tabindex="0" role="group" aria-label="${label}"><table class="sheet">
<thead><tr><th scope="col">Pair</th><th scope="col">A, primary</th><th scope="col">control B</th>${routes.map(route => html`<th scope="col">B, ${routeNames[route]}</th>`)}</tr></thead>
<tbody>${rows}</tbody></table></div>`;

/** Contact sheet of the evaluation: image A, the control map of pose B, and B by each route with its error. */
export const pairsSection = (data: ReportData): Html => {
  const sheet = { size: data.evaluate.image_size, data };
  const rows = data.evaluate.pairs.slice(0, maxPairs).map((pair, index) => pairRow(sheet, pair, index));
  const [open, folded] = [rows.slice(0, 6), rows.slice(6)];
  return html`<section id="pairs"><h2>Pictures of the evaluation</h2>
<p class="note">The first ${rows.length} of ${data.evaluate.pairs.length} pairs, in their order, not chosen. Lines: the pose asked for. Under each picture its keypoint error by the judge.</p>
${sheetTable(open, 'Contact sheet')}
${folded.length > 0 && html`<details><summary>${folded.length} more</summary>${sheetTable(folded, 'Contact sheet, continued')}</details>`}
</section>`;
};
