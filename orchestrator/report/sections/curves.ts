import type { ReportData } from '../data.ts';
import { type Html, html } from '../html.ts';
import {
  detectionByTPlot,
  detectionPlot,
  errorPlot,
  gradientsPlot,
  lossPlot,
  perStepPlot,
  qSharePlot,
  routeColours,
  schedulePlot,
  termColours,
  termNames,
  terms,
  termsPlot,
  validationPlot,
} from '../plots.ts';

const plot = (title: string, picture: Html, note: Html | string): Html =>
  html`<figure class="plot"><h3>${title}</h3>${picture}<figcaption>${note}</figcaption></figure>`;

const termLegend = (): Html =>
  html`${terms.map(term => html`<span class="key"><span class="swatch" style="background: ${termColours[term]}"></span>${termNames[term]}</span> `)}`;

const routeLegend = (): Html =>
  html`By the detector of the loss in the images of training: ${[
    { colour: routeColours.primary, name: 'route A (primary)' },
    { colour: routeColours.secondary, name: 'route B (secondary)' },
  ].map(
    ({ colour, name }) =>
      html`<span class="key"><span class="swatch" style="background: ${colour}"></span>${name}</span> `,
  )}`;

const bestStep = ({ validations }: ReportData): string => {
  const best = validations.findLast(({ best }) => best);
  return best === undefined ? '' : ` The best validation is that of step ${best.step}.`;
};

/** ΔL and L* of one t, beside the dots of L_t: under `total: sum` the verdict's are those of all t together. */
const levelsOfOne = ({ verdict, experiment, schedule }: ReportData) => {
  const scale = experiment.method.total === 'sum' ? schedule.trainable.filter(Boolean).length : 1;
  const one = (level: number | null) => (level === null ? null : level / scale);
  return { delta_l: one(verdict.delta_l), lower_bound: one(verdict.lower_bound) };
};

const detectionRates = ({ summary }: ReportData) => ({
  text_only: summary.text_only.detection_rate.mean,
  primary: summary.primary.detection_rate.mean,
  secondary: summary.secondary.detection_rate.mean,
});

/** The spread of the errors, and how often a person is found, beside the results table. */
export const spreadPlots = (data: ReportData): Html =>
  html`<div class="plots">
${plot('Keypoint error', errorPlot(data.evaluate), 'Every held-out picture by the judge; boxes hold the middle half.')}
${plot('Person found', detectionPlot(detectionRates(data)), 'Share of held-out pictures in which the judge finds a person.')}
</div>`;

/** Training curves and the schedule. */
export const curvesSection = (data: ReportData): Html =>
  html`<section id="curves"><h2>Curves</h2><div class="plots">
${plot('Loss', lossPlot(data.steps, levelsOfOne(data)), html`L<sub>t</sub> of Eq. 40 by step (dots) and its moving mean, against ΔL (Eq. 38, dashed) and the lower bound L* (dotted).`)}
${plot('Terms without weights', termsPlot(data.steps), termLegend())}
${data.validations.length === 0 ? '' : plot('Held-out pairs', validationPlot(data.validations), html`${termLegend()}${bestStep(data)}`)}
${plot('Loss by diffusion step', perStepPlot(data.steps), html`Mean of L<sub>t</sub> for each t over the second half of training.`)}
${plot('Schedule', schedulePlot(data.schedule.alphas_cumprod), 'Cumulative product of the alphas over the steps of the method.')}
${plot('Both sides of Eq. 33', gradientsPlot(data.gradients), html`Cosine of the gradients that the derivation takes for equivalent (audit, point 7).`)}
${plot('Person found by t', detectionByTPlot(data.measured.per_t), routeLegend())}
${plot('Share in Q', qSharePlot(data.q_shares), 'How much each t contributes to Q (Eq. 37).')}
</div></section>`;
