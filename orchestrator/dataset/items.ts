import type { Item } from '../contracts/assembled.ts';
import { type Dataset, Split } from '../contracts/dataset.ts';
import { isPictureSource, type Source } from '../contracts/sources.ts';
import { drawMini, type NamedPose, posesOf, type Unnumbered } from './mini-source.ts';
import { SeededMix } from './mix.ts';
import type { Table } from './parquet.ts';
import { permutation } from './permutation.ts';
import { drawPictures, listPictures } from './picture-source.ts';
import { drawRows, type PosesSource, splitRows } from './poses-source.ts';
import { SeededHash } from './random.ts';
import { shares } from './shares.ts';

/** What only Python can tell. */
export interface Facts {
  /** of the mini world */
  poses: readonly NamedPose[];
  countRows: (table: PosesSource) => Promise<number>;
  /** the list of a source of pictures, by its position in `dataset.sources` */
  index: (sourceIndex: number) => Promise<Table>;
}

type Draw = (split: Split, count: number) => Iterable<Unnumbered>;

const drawFrom = async (source: Source, index: number, facts: Facts, seed: number): Promise<Draw> => {
  const random = new SeededHash(seed);
  if (source.kind === 'mini') {
    posesOf(source, 'train', facts.poses);
    return (split, count) => drawMini(source, index, split, count, facts.poses, random);
  }
  if (source.kind === 'poses') {
    const rows = splitRows(await facts.countRows(source), random);
    return (split, count) => drawRows(source, index, split, count, rows[split], random);
  }
  const listed = await listPictures(source, index, await facts.index(index), seed);
  return (split, count) => drawPictures(listed, index, split, count);
};

/** Everything that is drawn, training pictures first; of pictures `describe` tells that they bring no caption. */
function* drawAll({ sources, num_images, num_held_out }: Dataset, draws: readonly Draw[]): Generator<Unnumbered> {
  const weights = sources.map(({ weight }) => weight);
  for (const split of Split.options) {
    const counts = shares(split === 'train' ? num_images : num_held_out, weights);
    for (const [index, draw] of draws.entries()) yield* draw(split, counts[index] ?? 0);
  }
}

const none: Draw = () => [];

/** How many of the pictures bring no caption; figures are not even drawn for it. */
const countNeeding = (dataset: Dataset, draws: readonly Draw[]): number => {
  const ofPictures = dataset.sources.map((source, index) => (isPictureSource(source) && draws[index]) || none);
  let count = 0;
  for (const item of drawAll(dataset, ofPictures)) if (item.kind === 'picture' && item.describe) count += 1;
  return count;
};

/** Numbers them, and leaves `describe` to as many of the pictures that have it as `isDescribed` draws. */
function* numbered(items: Iterable<Unnumbered>, isDescribed: (index: number) => boolean): Generator<Item> {
  let [id, needing] = [0, 0];
  for (const item of items) {
    const describe = item.kind === 'picture' && item.describe && isDescribed(needing++);
    yield item.kind === 'picture' ? { ...item, describe, id } : { ...item, id };
    id += 1;
  }
}

const drawDescribed = (dataset: Dataset, draws: readonly Draw[], seed: number): ((index: number) => boolean) => {
  if (dataset.captioner === null) return () => false;
  const { num_images } = dataset.captioner;
  const place = permutation(countNeeding(dataset, draws), new SeededMix(seed, 'describe'));
  return index => place(index) < num_images;
};

/**
 * Step 1 of the method: which pictures the set is made of, training pictures first, ids from 0. Sources share
 * `num_images` and `num_held_out` by weight; a source with fewer pictures than its share gives all it has.
 * The same dataset, seed, facts and files give the same items, as often as they are iterated; memory does not grow with
 * their number, only with the rows of the lists. Raises `unknown_value`, `too_few_samples`, `corrupt_file` and what
 * `facts` raise.
 */
export const chooseItems = async (dataset: Dataset, seed: number, facts: Facts): Promise<Iterable<Item>> => {
  const draws: Draw[] = [];
  // One after the other: the list of a large source takes memory while it is split.
  for (const [index, source] of dataset.sources.entries()) draws.push(await drawFrom(source, index, facts, seed));
  const isDescribed = drawDescribed(dataset, draws, seed);
  return { [Symbol.iterator]: () => numbered(drawAll(dataset, draws), isDescribed) };
};
