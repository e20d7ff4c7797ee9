import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Dataset, type Split } from '../../../orchestrator/contracts/dataset.ts';
import {
  type Facts,
  makeManifest,
  openTable,
  type Pairing,
  type Samples,
  type Table,
  writePairs,
} from '../../../orchestrator/dataset/index.ts';
import { copyPoints } from '../../../orchestrator/dataset/samples.ts';

export const dataset = (input: Partial<Dataset> = {}): Dataset => Dataset.parse(input);

/** A person whose keypoints sit `shift` px to the right of those of shift 0; `seen`: those that are visible. */
export interface Person {
  id: number;
  split: Split;
  caption: string;
  class: string;
  pose: string;
  shift: number;
  seen: readonly number[];
}

const everyKeypoint = Array.from({ length: 18 }, (_, k) => k);

export const person = (id: number, others: Partial<Person> = {}): Person => ({
  id,
  split: 'train',
  caption: `caption ${id}`,
  class: `class ${id % 3}`,
  pose: `pose ${id % 3}`,
  shift: id,
  seen: everyKeypoint,
  ...others,
});

/** Training people first, ids from 0. */
export const people = (train: number, heldOut: number): Person[] =>
  Array.from({ length: train + heldOut }, (_, id) => person(id, { split: id < train ? 'train' : 'held_out' }));

/** A table in memory, in slices of three rows. */
export const tableOf = (num_rows: number, columns: Record<string, readonly unknown[]>): Table => ({
  num_rows,
  async forEachSlice(column, use) {
    const values = columns[column] ?? [];
    for (let start = 0; start < values.length; start += 3) use(values.slice(start, start + 3), start);
  },
  async forEachAt(column, rows, use) {
    for (const row of Array.from(rows)) use(columns[column]?.[row], row);
  },
  async rows() {
    return [];
  },
});

const keypointsOf = ({ shift, seen }: Person): number[] =>
  everyKeypoint.flatMap(k => [k + shift, 2 * k, seen.includes(k) ? 2 : 0]);

/** Equal texts have one number. */
const numbered = (texts: readonly string[]): Float64Array => Float64Array.from(texts, text => texts.indexOf(text));

/** What `readSamples` reads of these people. */
export const samplesOf = (set: readonly Person[]): Samples => {
  const keypoints = set.map(keypointsOf);
  const points = new Float32Array(set.length * 36);
  for (const [row, own] of keypoints.entries()) copyPoints(own, points, row * 36);
  return {
    table: tableOf(set.length, { pose: set.map(({ pose }) => pose), keypoints }),
    num_rows: set.length,
    ids: Int32Array.from(set, ({ id }) => id),
    is_train: Uint8Array.from(set, ({ split }) => Number(split === 'train')),
    visible: Int32Array.from(set, ({ seen }) => seen.reduce((bits, k) => bits | (1 << k), 0)),
    caption_hash: numbered(set.map(({ caption }) => caption)),
    class_hash: numbered(set.map(one => one.class)),
    points,
  };
};

/** (A, B, y) and their split, written down by the definition of the readings: from the couples of one split at a time. */
export interface Quintuple {
  a: number;
  b: number;
  prompt: string;
}

export const listQuintuples = (
  couples: readonly (readonly [Person, Person])[],
  captions: Dataset['captions'],
): Quintuple[] => {
  const row = (a: Person, b: Person, text: Person): Quintuple => ({ a: a.id, b: b.id, prompt: text.caption });
  const own = captions === 'swap' ? couples.map(([a, b]) => row(a, b, a)) : couples.map(([a, b]) => row(a, b, b));
  const back = captions === 'swap' ? couples.map(([a, b]) => row(b, a, b)) : couples.map(([a, b]) => row(b, a, a));
  if (captions === 'swap') return [...own, ...back];
  const unlike = couples.filter(([a, b]) => a.caption !== b.caption);
  return [...own, ...back, ...unlike.map(([a, b]) => row(a, b, a)), ...unlike.map(([a, b]) => row(b, a, b))];
};

export interface Written {
  pairing: Pairing;
  couples: Record<Split, [Person, Person][]>;
}

/** Pairs these people, and reads pairs.parquet back. */
export const pairUp = async (set: readonly Person[], input: Partial<Dataset>, seed: number): Promise<Written> => {
  const folder = await mkdtemp(join(tmpdir(), 'posetwin-pairs-'));
  const file = join(folder, 'pairs.parquet');
  const pairing = await writePairs(samplesOf(set), dataset(input), seed, file);
  const table = await openTable(file);
  const couples: Written['couples'] = { train: [], held_out: [] };
  const byId = new Map(set.map(one => [one.id, one]));
  for (const { a, b, split } of await table.rows(0, table.num_rows)) {
    const [first, second] = [byId.get(Number(a)), byId.get(Number(b))];
    if (!first || !second || (split !== 'train' && split !== 'held_out')) throw new Error('a pair of nobody');
    couples[split].push([first, second]);
  }
  await rm(folder, { recursive: true });
  return { pairing, couples };
};

export const manifestOf = async (set: readonly Person[], input: Partial<Dataset>, seed: number) =>
  makeManifest(seed, dataset(input), samplesOf(set), (await pairUp(set, input, seed)).pairing, {
    num_rejected: { no_person: 2 },
    sources: [],
    shards: [],
    warnings: [],
  });

export const poses = [
  { name: 'standing', split: 'train', share: 1 },
  { name: 'waving_left', split: 'train', share: 1 },
  { name: 'tree', split: 'held_out', share: 1 },
] as const;

/** Every table of poses holds `rows` of them, and every list of pictures is `index`. */
export const factsWith = (rows: number, index: Table = tableOf(0, {})): Facts => ({
  poses,
  countRows: async () => rows,
  index: async () => index,
});
export const facts = factsWith(10);
