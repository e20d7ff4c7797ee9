import type { Manifest } from '../contracts/assembled.ts';
import { keypointNames } from '../report/dataset/keypoint-names.ts';
import type { Counts, LeftOut, Survey } from '../report/dataset/survey.ts';
import { className, meaningOf } from '../report/dataset/words.ts';
import { percent } from '../report/text.ts';
import { formatBytes, formatTable } from './table.ts';

const mostClasses = 20;

const countRow = (name: string, { train, held_out }: Counts): string[] => [name, String(train), String(held_out)];

const countTable = (what: string, rows: readonly { name: string; counts: Counts }[]): string =>
  formatTable([
    [what, 'training', 'held out'],
    ...rows.slice(0, mostClasses).map(({ name, counts }) => countRow(className(name), counts)),
    ...(rows.length > mostClasses ? [[`and ${rows.length - mostClasses} more`, '', '']] : []),
  ]);

const leftOutLines = ({ code, count, examples }: LeftOut): string[] => {
  const [first] = examples;
  const example = first === undefined ? [] : [`    e.g. ${first.source}: ${first.reason}`];
  return [`  ${count} ${code}  ${meaningOf(code)}`.trimEnd(), ...example];
};

const leftOutText = ({ rejected }: Survey): string => {
  const total = rejected.reduce((sum, { count }) => sum + count, 0);
  return total === 0 ? 'left out: none' : [`left out: ${total}`, ...rejected.flatMap(leftOutLines)].join('\n');
};

/** Three keypoints a line: 18 lines would be more than the rest. */
const visibilityText = ({ visible, splits: { train, held_out } }: Survey): string => {
  const total = Math.max(train + held_out, 1);
  const cells = keypointNames.map(
    (name, k) => `${name.padEnd(15)}${percent((visible[k] ?? 0) / total, 0).padStart(6)}`,
  );
  const lines = Array.from({ length: 6 }, (_, row) => `  ${cells.slice(3 * row, 3 * row + 3).join('   ')}`);
  return ['pictures that show each keypoint:', ...lines].join('\n');
};

const licenceText = ({ sources }: Manifest): string =>
  [
    'licences:',
    ...sources.map(({ kind, path, licence }) => `  ${kind}${path === null ? '' : ` ${path}`}: ${licence}`),
  ].join('\n');

const sizeText = ({ shards, image_size }: Manifest): string => {
  const bytes = shards.reduce((sum, shard) => sum + shard.bytes, 0);
  return `size: ${formatBytes(bytes)} in ${shards.length} shard${shards.length === 1 ? '' : 's'}, pictures of ${image_size} px`;
};

/** What a set holds, as lines for a terminal. */
export const describeSet = (name: string, folder: string, manifest: Manifest, survey: Survey): string =>
  [
    `dataset ${name} in ${folder}`,
    ...manifest.warnings.map(warning => `WARNING: ${warning}`),
    formatTable([
      ['', 'training', 'held out'],
      countRow('pictures', survey.splits),
      countRow('quintuples', manifest.num_pairs),
    ]),
    countTable('source', survey.sources),
    countTable('class', survey.classes),
    `pairs: ${manifest.train_pairs}, captions: ${manifest.captions}, mean pose distance ${manifest.mean_pose_distance.toFixed(3)} of the side`,
    visibilityText(survey),
    leftOutText(survey),
    licenceText(manifest),
    `${sizeText(manifest)}; seed ${manifest.seed}`,
  ].join('\n\n');
