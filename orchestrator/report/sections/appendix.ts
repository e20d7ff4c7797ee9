import { join } from 'node:path';
import type { Rejected, Sample } from '../../contracts/dataset.ts';
import type { ReportData } from '../data.ts';
import { type Html, html } from '../html.ts';
import { thumbnailUri } from '../images.ts';
import { count, duration, number } from '../text.ts';
import { flatten, type Leaf } from '../tree.ts';

const table = (caption: string, head: readonly string[], rows: readonly (readonly (Html | string)[])[]): Html =>
  html`<div class="scroll" tabindex="0" role="group" aria-label="${caption}"><table><caption><span>${caption}</span></caption>
<thead><tr>${head.map(name => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows.map(([first, ...rest]) => html`<tr><th scope="row">${first}</th>${rest.map(value => html`<td>${value}</td>`)}</tr>`)}</tbody></table></div>`;

/** What the derivation hides, with this run's numbers. */
export const auditSection = ({ verdict }: ReportData): Html =>
  html`<section id="audit"><h2>Audit</h2>
<p class="note">What the derivation hides, measured on this run: read it before drawing conclusions from the loss.</p>
<dl class="audit">${verdict.audit.map(point => html`<div><dt>${point.number}. <span class="tag">${point.verdict}</span></dt><dd>${point.sentence}</dd></div>`)}</dl>
</section>`;

const maxThumbnails = 12;

const thumbnail = (data: ReportData, sample: Sample): Html =>
  html`<figure><img src="${thumbnailUri(join(data.folders.assemble, sample.image), data.manifest.image_size)}" alt="${sample.caption}"><figcaption>${sample.caption}</figcaption></figure>`;

const rejectedTable = (rejected: readonly Rejected[]): Html =>
  html`<details><summary>${count(rejected.length, 'picture')} left out</summary>${table(
    'Pictures left out, and why',
    ['Source', 'Code', 'Reason'],
    rejected.map(({ source, code, reason }) => [source, html`<code>${code}</code>`, reason]),
  )}</details>`;

const poseList = (names: readonly string[]): string => (names.length === 0 ? 'unnamed' : names.join(', '));

/** Counts, poses, what was left out, and a look at the first training pictures. */
export const datasetSection = (data: ReportData): Html => {
  const { manifest, rejected } = data;
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
${rejected.length > 0 ? rejectedTable(rejected) : html`<p>No picture was left out.</p>`}
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
