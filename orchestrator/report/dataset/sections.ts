import type { Manifest, Rejected } from '../../contracts/assembled.ts';
import { type Html, html } from '../html.ts';
import { table } from '../sections/table.ts';
import { count, percent } from '../text.ts';
import { classPlot, classRows, distancePlot, splitColours, visibilityPlot } from './charts.ts';
import { unknownSource } from './origin.ts';
import { type CardData, pairCard } from './pair-card.ts';
import type { ShownPair } from './shown-pairs.ts';
import type { Counts, LeftOut, Survey } from './survey.ts';
import { className, meaningOf, splitNames, splits } from './words.ts';

const total = ({ train, held_out }: Counts): number => train + held_out;
const amount = (value: number): string => value.toLocaleString('en');
const bytesOf = ({ shards }: Manifest): number => shards.reduce((sum, { bytes }) => sum + bytes, 0);
const size = (bytes: number): string => {
  const power = [9, 6, 3].find(exponent => bytes >= 10 ** exponent) ?? 3;
  return `${(bytes / 10 ** power).toFixed(1)} ${{ 9: 'GB', 6: 'MB', 3: 'kB' }[power]}`;
};
const numRejected = ({ rejected }: Survey): number => rejected.reduce((sum, entry) => sum + entry.count, 0);

const card = (name: string, value: string, detail: string, tone = ''): Html =>
  html`<li class="card ${tone}"><span class="question">${name}</span><strong>${value}</strong><span class="note">${detail}</span></li>`;

/** Warnings stand before everything else. */
export const warningBox = ({ warnings }: Manifest): Html | null =>
  warnings.length === 0
    ? null
    : html`<aside class="warning" aria-labelledby="warned"><h2 id="warned">△ What looks wrong</h2><ul>${warnings.map(warning => html`<li>${warning}</li>`)}</ul></aside>`;

const sourceRows = (survey: Survey, manifest: Manifest): string[][] => {
  const countsOf = (name: string) =>
    survey.sources.find(source => source.name === name)?.counts ?? { train: 0, held_out: 0 };
  const known = manifest.sources.map(({ kind, path, licence }) => {
    const counts = countsOf(path === null ? kind : `${kind} ${path}`);
    return [kind, path ?? '–', amount(counts.train), amount(counts.held_out), licence];
  });
  const other = countsOf(unknownSource);
  return total(other) === 0
    ? known
    : [...known, [unknownSource, '–', amount(other.train), amount(other.held_out), '–']];
};

export const overviewSection = (survey: Survey, manifest: Manifest): Html => {
  const [all, left] = [total(survey.splits), numRejected(survey)];
  const share = left / Math.max(all + left, 1);
  return html`<section id="overview"><h2>Overview</h2>
<ul class="cards">
${card('Pictures', amount(all), `${amount(survey.splits.train)} for training, ${amount(survey.splits.held_out)} held out`)}
${card('Training examples', amount(manifest.num_pairs.train), `of two pictures each; and ${amount(manifest.num_pairs.held_out)} held out`)}
${card('Pose distance', manifest.mean_pose_distance.toFixed(3), 'mean of the training pairs, fraction of the side')}
${card('Left out', amount(left), left === 0 ? 'every picture could be used' : `${percent(share)} of all pictures read`, share > 0.2 ? 'warn' : '')}
${card('Size', size(bytesOf(manifest)), `${count(manifest.shards.length, 'shard')}, pictures of ${manifest.image_size} px`)}
</ul>
${table('Where the pictures come from; each stays under the licence of its source', ['Source', 'Path', 'Training', 'Held out', 'Licence'], sourceRows(survey, manifest))}
</section>`;
};

const plot = (title: string, picture: Html, note: Html | string): Html =>
  html`<figure class="plot"><h3>${title}</h3>${picture}<figcaption>${note}</figcaption></figure>`;

const legend = (): Html =>
  html`${splits.map(split => html`<span class="key"><span class="swatch" style="background: ${splitColours[split]}"></span>${splitNames[split]}</span> `)}`;

const classTable = (classes: Survey['classes']): Html =>
  html`<details><summary>All ${count(classes.length, 'class').replace(/classs$/, 'classes')} as a table</summary>${table(
    'Pictures by class',
    ['Class', 'Training', 'Held out'],
    classes.map(({ name, counts }) => [className(name), amount(counts.train), amount(counts.held_out)]),
  )}</details>`;

export const chartsSection = (survey: Survey, pairs: readonly ShownPair[]): Html =>
  html`<section id="charts"><h2>What they show</h2><div class="plots">
${plot('Joints that are seen', visibilityPlot(survey), 'Share of all pictures in which a joint is seen. A joint that is hardly ever seen is hardly ever learnt.')}
<div>${plot('Classes', classPlot(survey.classes), legend())}${classRows(survey.classes) !== survey.classes && classTable(survey.classes)}</div>
${plot('How far the poses of a pair differ', distancePlot(pairs), `Of the ${count(pairs.length, 'pair')} on this page: root mean square distance of the joints that both show. Pairs near 0 have nothing to teach.`)}
</div></section>`;

const option = (value: string, text: string): Html => html`<option value="${value}">${text}</option>`;
const choice = (name: string, label: string, all: string, options: readonly Html[]): Html =>
  html`<label>${label}<select name="${name}">${all !== '' && option('', all)}${options}</select></label>`;

const namesOf = (values: readonly string[]): string[] => [...new Set(values)].sort((a, b) => a.localeCompare(b));

/** Hidden until the script of the page is at work. */
const toolbar = (cards: readonly CardData[]): Html => {
  const classes = namesOf(cards.flatMap(({ pair: { a, b } }) => [a.class, b.class]));
  const sources = namesOf(cards.flatMap(entry => entry.sources));
  return html`<div class="tools" role="search" aria-label="Filter the pairs" hidden>
${choice(
  'split',
  'Split',
  'both',
  splits.map(split => option(split, splitNames[split])),
)}
${choice(
  'class',
  'Class',
  'all',
  classes.map(name => option(`=${name}`, className(name))),
)}
${choice(
  'source',
  'Source',
  'all',
  sources.map(name => option(name, name)),
)}
<label>Caption, class or sample<input type="search" name="text"></label>
${choice('order', 'Order', '', [option('drawn', 'as drawn'), option('far', 'farthest poses first'), option('near', 'nearest poses first')])}
<div class="pages"><button type="button" name="previous" aria-label="Previous page">‹</button><span id="shown" role="status"></span><button type="button" name="next" aria-label="Next page">›</button></div></div>`;
};

const toggle = (id: string, label: string): Html =>
  html`<label class="toggle"><input type="checkbox" id="${id}" checked>${label}</label>`;

export const pairsSection = (cards: readonly CardData[]): Html =>
  html`<section id="pairs"><h2>Pairs</h2>
<p class="note">The first ${count(cards.length, 'pair')} in the order the seed drew them, not chosen. The adapter is given picture A, the control map of B (below B) and a caption, and learns to show the person in the pose of B; the same with A and B swapped. Dots and lines over a picture are its keypoints: where they miss the person, the training data is wrong.</p>
${toggle('show-keypoints', 'keypoints')}${toggle('show-control', 'control maps')}
${toolbar(cards)}
<div class="pairs">${cards.map(pairCard)}</div>
<p class="none" hidden>No pair fits.</p>
</section>`;

export interface Example extends Rejected {
  thumbnail: string | undefined;
}

const example = ({ source, reason, thumbnail }: Example): Html =>
  html`<li>${thumbnail === undefined ? html`<span class="blank" aria-hidden="true">no preview</span>` : html`<img src="${thumbnail}" alt="Left out: ${source}">`}${reason}<span class="source">${source}</span></li>`;

const reasonBlock = ({ code, count: found }: LeftOut, examples: readonly Example[]): Html =>
  html`<div class="reason"><h3>${amount(found)} × <code>${code}</code></h3><p>${meaningOf(code)}${found > examples.length && ` The first ${examples.length}:`}</p><ul class="examples">${examples.map(example)}</ul></div>`;

export const rejectedSection = ({ rejected }: Survey, examples: ReadonlyMap<string, readonly Example[]>): Html =>
  html`<section id="rejected"><h2>Left out</h2>
${rejected.length === 0 ? html`<p>No picture was left out.</p>` : html`<p class="note">Pictures that were read and not used, by reason; all of them are in <code>rejected.jsonl</code>.</p>${rejected.map(entry => reasonBlock(entry, examples.get(entry.code) ?? []))}`}
</section>`;

export const filesSection = (manifest: Manifest): Html =>
  html`<section id="files"><h2>Files</h2>
<p>Seed ${manifest.seed}, captions <code>${manifest.captions}</code>, training pairs <code>${manifest.train_pairs}</code>. The pictures lie in uncompressed tar files that WebDataset reads, the tables are Parquet.</p>
<details><summary>${count(manifest.shards.length, 'shard')} and ${count(manifest.sources.length, 'source')} with their hashes</summary>
${table(
  'Shards',
  ['Name', 'Pictures', 'Bytes', 'SHA-256'],
  manifest.shards.map(({ name, num_samples, bytes, sha256 }) => [
    html`<code>${name}</code>`,
    amount(num_samples),
    amount(bytes),
    html`<code>${sha256}</code>`,
  ]),
)}
${table(
  'Sources',
  ['Kind', 'Path', 'Hash of what it held'],
  manifest.sources.map(({ kind, path, hash }) => [kind, path ?? '–', html`<code>${hash}</code>`]),
)}
</details></section>`;
