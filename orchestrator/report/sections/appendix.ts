import type { Manifest } from '../../contracts/assembled.ts';
import type { AuditPoint, ReportData, ShownSample } from '../data.ts';
import { type Html, html } from '../html.ts';
import { pngUri } from '../images.ts';
import { count, duration, number, percent } from '../text.ts';
import { flatten, type Leaf } from '../tree.ts';
import { prose } from './prose.ts';
import { table } from './table.ts';

/** What the derivation hides, with this run's numbers. */
export const auditSection = ({ verdict }: ReportData): Html =>
  html`<section id="audit"><h2>Audit</h2>
<p class="note">What the derivation hides, measured on this run: read it before drawing conclusions from the loss.</p>
<p>${tally(verdict.audit)}</p>
<dl class="audit">${verdict.audit.map(auditPoint)}</dl>
${qReadings(verdict)}
</section>`;

const words = { fails: 'fails', caution: 'caution', fine: 'fine', not_measured: 'not measured' } as const;
/** A verdict must not be told by its colour alone. */
const signs = { fails: '✗', caution: '△', fine: '✓', not_measured: '–' } as const;

/** "11 points: 2 × fails, 8 × caution, 1 × fine." */
const tally = (points: readonly AuditPoint[]): string => {
  const counts = (Object.keys(words) as (keyof typeof words)[])
    .map(verdict => ({ verdict, amount: points.filter(point => point.verdict === verdict).length }))
    .filter(({ amount }) => amount > 0);
  return `${count(points.length, 'point')}: ${counts.map(({ verdict, amount }) => `${amount} × ${words[verdict]}`).join(', ')}.`;
};

const listed = (value: AuditPoint['numbers'][string]): string => {
  if (typeof value !== 'object' || value === null) return number(value);
  return value.length === 0 ? 'none' : value.map(item => number(item, 3)).join(', ');
};

/** A name that may be broken after an underscore, and nowhere else. */
const nameOf = (name: string): Html =>
  html`<code>${name.split('_').map((word, index) => (index === 0 ? word : html`_<wbr>${word}`))}</code>`;

const auditPoint = ({ number: point, title, verdict, sentence, numbers }: AuditPoint): Html => {
  const rows = Object.entries(numbers).map(([name, value]) => [nameOf(name), listed(value)]);
  return html`<div class="${verdict}"><dt>${point}. ${title} <span class="tag"><span aria-hidden="true">${signs[verdict]} </span>${words[verdict]}</span></dt><dd>${prose(sentence)}
${rows.length > 0 && html`<details><summary>Numbers</summary>${table(`Numbers of point ${point}`, ['Quantity', 'Value'], rows)}</details>`}</dd></div>`;
};

/** A fraction that may be far below one percent: "0.0045 %". */
const significant = (value: number | null): string => (value === null ? '–' : `${number(100 * value, 2)} %`);

/** The same training under every reading of Q, and what the paper's tolerance would prove there. */
const qReadings = ({ at_q, tolerance }: ReportData['verdict']): Html =>
  html`<h3>Every reading of Q</h3><div class="readings">${table(
    `This run's terms under every reading of Eq. 37. "Proves": if the loss were ${percent(tolerance, 2)} above ΔL with a perfect primary, the pose could still be off by this much of the distance between the two poses`,
    ['Reading', 'Q', 'Loss', 'ΔL', 'off ΔL', 'L*', 'off L*', 'L* below ΔL', 'Proves'],
    at_q.map(row => [
      html`<code>${row.reading}</code>`,
      number(row.q),
      number(row.achieved),
      number(row.delta_l),
      percent(row.error_to_delta_l, 2),
      number(row.lower_bound),
      percent(row.error_to_lower_bound, 2),
      significant(row.gap),
      significant(row.bound_at_tolerance),
    ]),
  )}</div>`;

/** Of the training pictures the first ones are shown. */
export const maxThumbnails = 12;

const thumbnail = ({ manifest }: ReportData, sample: ShownSample): Html =>
  html`<figure><img src="${pngUri(sample.png.image, manifest.image_size)}" alt="${sample.caption}"><figcaption>${sample.caption}</figcaption></figure>`;

const totalOf = (counts: Manifest['num_rejected']): number =>
  Object.values(counts).reduce((sum, amount) => sum + amount, 0);

const countList = (counts: Manifest['num_rejected']): string =>
  Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([code, amount]) => `${amount} × ${code}`)
    .join(', ');

const rejectedTable = ({ manifest, rejected }: ReportData): Html =>
  html`<details><summary>${count(totalOf(manifest.num_rejected), 'picture')} left out: ${countList(manifest.num_rejected)}</summary>${table(
    'Pictures left out, and why: the first ones of each code',
    ['Source', 'Code', 'Reason'],
    rejected.map(({ source, code, reason }) => [source, html`<code>${code}</code>`, reason]),
  )}</details>`;

const poseList = (names: readonly string[]): string => (names.length === 0 ? 'unnamed' : names.join(', '));

/** Counts, poses, what was left out, and a look at the first training pictures. */
export const datasetSection = (data: ReportData): Html => {
  const { manifest } = data;
  const shown = data.samples.filter(({ split }) => split === 'train').slice(0, maxThumbnails);
  return html`<section id="dataset"><h2>Dataset</h2>
${table(
  `Seed ${manifest.seed}, ${manifest.image_size} px, closed under swap; mean pose distance of training pairs ${number(manifest.mean_pose_distance, 3)} of the side`,
  ['Split', 'Pictures', 'Quintuples', 'Poses'],
  (['train', 'held_out'] as const).map(split => [
    split === 'train' ? 'training' : 'held out',
    String(manifest.num_samples[split]),
    String(manifest.num_pairs[split]),
    poseList(manifest.poses[split]),
  ]),
)}
${totalOf(manifest.num_rejected) > 0 ? rejectedTable(data) : html`<p>No picture was left out.</p>`}
${manifest.warnings.length > 0 && html`<ul>${manifest.warnings.map(warning => html`<li>${warning}</li>`)}</ul>`}
<h3>The first training pictures</h3>
<div class="thumbnails">${shown.map(sample => thumbnail(data, sample))}</div>
</section>`;
};

const isReading = ({ path }: Leaf): boolean => /^(method|schedule)\.|^dataset\.(pairs|captions)$/.test(path);

/** A list of plain values is one line here, while its origin stands with each of its values. */
const originOf = (path: string, origins: ReportData['origins']): string => origins[path] ?? origins[`${path}.0`] ?? '–';

const settings = (caption: string, leaves: readonly Leaf[], origins: ReportData['origins']): Html =>
  table(
    caption,
    ['Setting', 'Value', 'From'],
    leaves.map(({ path, value }) => [html`<code>${path}</code>`, value, originOf(path, origins)]),
  );

/** The readings of the method first, then the whole configuration with the origin of each value. */
export const configSection = ({ experiment, origins }: ReportData): Html => {
  const leaves = flatten(experiment);
  return html`<section id="config"><h2>Configuration</h2>
${settings('Readings of the method that were used', leaves.filter(isReading), origins)}
<details><summary>All ${leaves.length} settings</summary>${settings('The resolved experiment', leaves, origins)}</details>
</section>`;
};

/** Where these numbers come from: stages with keys and times, git, packages, hardware. */
export const provenanceSection = ({ stages, provenance }: ReportData): Html =>
  html`<section id="provenance"><h2>Provenance</h2>
${table(
  'Stages of this run',
  ['Stage', 'Key', 'Time', 'State'],
  stages.map(({ name, key, cached, seconds }) => [
    name,
    html`<code>${key}</code>`,
    duration(seconds),
    cached ? 'taken from the store' : 'computed in this run',
  ]),
)}
<details><summary>Git, packages, hardware</summary>${table(
    'As recorded at the start of the run',
    ['Item', 'Value'],
    flatten(provenance).map(({ path, value }) => [html`<code>${path}</code>`, value]),
  )}</details>
</section>`;

/** Warnings, said even when there are none. */
export const warningsSection = ({ warnings }: ReportData): Html =>
  html`<section id="warnings"><h2>Warnings</h2>
${
  warnings.length === 0
    ? html`<p>None.</p>`
    : html`<ul>${warnings.map(({ code, message }) => html`<li><code>${code}</code> ${message}</li>`)}</ul>`
}
</section>`;
