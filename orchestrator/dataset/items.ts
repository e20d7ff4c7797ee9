import type { Dataset, Item, Source, Split } from '../contracts/dataset.ts';
import { drawPhotos, listPhotos, splitPhotos } from './folder-source.ts';
import { drawMini, type NamedPose, type Unnumbered } from './mini-source.ts';
import { drawRows, type PosesSource, splitRows } from './poses-source.ts';
import { SeededHash } from './random.ts';
import { shares } from './shares.ts';

/** What only Python can tell. */
export interface Facts {
  /** of the mini world */
  poses: readonly NamedPose[];
  countRows: (table: PosesSource) => Promise<number>;
}

type Draw = (split: Split, count: number) => Unnumbered[];

const drawFrom = async (source: Source, index: number, facts: Facts, random: SeededHash): Promise<Draw> => {
  if (source.kind === 'mini') return (split, count) => drawMini(source, index, split, count, facts.poses, random);
  if (source.kind === 'folder') {
    const photos = splitPhotos(await listPhotos(source), source.path, random);
    return (split, count) => drawPhotos(source, split, count, photos[split]);
  }
  const rows = splitRows(await facts.countRows(source), random);
  return (split, count) => drawRows(source, index, split, count, rows[split], random);
};

/**
 * Step 1 of the method: which pictures the set is made of, training pictures first, ids from 0. Sources share
 * `num_images` and `num_held_out` by weight; a folder with fewer photos than its share gives all it has.
 * The same dataset, seed, facts and files give the same items. Raises `unknown_value`, `too_few_samples` and what
 * `countRows` raises.
 */
export const chooseItems = async (dataset: Dataset, seed: number, facts: Facts): Promise<Item[]> => {
  const random = new SeededHash(seed);
  const draws = await Promise.all(dataset.sources.map((source, index) => drawFrom(source, index, facts, random)));
  const weights = dataset.sources.map(source => source.weight);
  const drawAll = (split: Split, total: number): Unnumbered[] => {
    const counts = shares(total, weights);
    return draws.flatMap((draw, index) => draw(split, counts[index] ?? 0));
  };
  const items = [...drawAll('train', dataset.num_images), ...drawAll('held_out', dataset.num_held_out)];
  return items.map((item, id) => ({ ...item, id }));
};
