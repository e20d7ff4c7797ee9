import type { Rejected } from '../../contracts/assembled.ts';
import type { Split } from '../../contracts/dataset.ts';
import type { OpenSet } from '../../dataset/open-set.ts';
import { originOf } from './origin.ts';

export type Counts = Record<Split, number>;

/** Pictures left out for one reason. */
export interface LeftOut {
  code: string;
  count: number;
  /** the first ones, at most `maxExamples` */
  examples: Rejected[];
}

/** What a set holds, in numbers; every list is sorted, the most frequent first. */
export interface Survey {
  splits: Counts;
  /** by position in manifest.sources, and one more for pictures of none of them */
  sources: { name: string; counts: Counts }[];
  /** the empty name: pictures without a class */
  classes: { name: string; counts: Counts }[];
  /** pictures that show keypoint k of OpenPose-18 */
  visible: number[];
  rejected: LeftOut[];
}

export const maxExamples = 12;

const totalOf = ({ train, held_out }: Counts): number => train + held_out;

/** Counts of names by split. Two columns are never at hand together: the splits are kept, a byte a row. */
const countNames = async (
  set: OpenSet,
  isHeldOut: Uint8Array,
  column: string,
  nameOf: (value: string) => string,
): Promise<{ name: string; counts: Counts }[]> => {
  const found = new Map<string, Counts>();
  await set.forEachSlice(column, (values, start) => {
    for (let index = 0; index < values.length; index += 1) {
      const name = nameOf(String(values[index]));
      const counts = found.get(name) ?? { train: 0, held_out: 0 };
      counts[isHeldOut[start + index] === 1 ? 'held_out' : 'train'] += 1;
      found.set(name, counts);
    }
  });
  return [...found]
    .map(([name, counts]) => ({ name, counts }))
    .sort((a, b) => totalOf(b.counts) - totalOf(a.counts) || a.name.localeCompare(b.name));
};

const readSplits = async (set: OpenSet): Promise<Uint8Array> => {
  const isHeldOut = new Uint8Array(set.num_samples);
  await set.forEachSlice('split', (values, start) => {
    for (let index = 0; index < values.length; index += 1)
      isHeldOut[start + index] = values[index] === 'held_out' ? 1 : 0;
  });
  return isHeldOut;
};

const countVisible = async (set: OpenSet): Promise<number[]> => {
  const counts = Array.from({ length: 18 }, () => 0);
  await set.forEachSlice('visible', values => {
    for (let index = 0; index < values.length; index += 1)
      for (let k = 0; k < 18; k += 1) if ((Number(values[index]) >> k) & 1) counts[k] = (counts[k] ?? 0) + 1;
  });
  return counts;
};

const surveyRejected = async (set: OpenSet): Promise<LeftOut[]> => {
  const found = new Map<string, LeftOut>();
  for await (const rejected of set.rejected()) {
    const entry = found.get(rejected.code) ?? { code: rejected.code, count: 0, examples: [] };
    entry.count += 1;
    if (entry.examples.length < maxExamples) entry.examples.push(rejected);
    found.set(rejected.code, entry);
  }
  return [...found.values()].sort((a, b) => b.count - a.count || a.code.localeCompare(b.code));
};

/** Counts a set in one pass a column; memory: a byte a sample, and the names of the classes. Raises `corrupt_file`. */
export const surveySet = async (set: OpenSet): Promise<Survey> => {
  const isHeldOut = await readSplits(set);
  const held_out = isHeldOut.reduce((sum, one) => sum + one, 0);
  return {
    splits: { train: set.num_samples - held_out, held_out },
    sources: await countNames(set, isHeldOut, 'source', originOf(set.manifest)),
    classes: await countNames(set, isHeldOut, 'class', name => name),
    visible: await countVisible(set),
    rejected: await surveyRejected(set),
  };
};
