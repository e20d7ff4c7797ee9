import type { Dataset, Item, Split } from '../contracts/dataset.ts';
import { drawPhotos, listPhotos, type Photo, splitPhotos } from './folder-source.ts';
import { drawMini, type NamedPose, type Unnumbered } from './mini-source.ts';
import { SeededHash } from './random.ts';
import { shares } from './shares.ts';

/** The photos of each folder source by split; undefined for other sources. */
const photosOf = (dataset: Dataset, random: SeededHash): Promise<(Record<Split, Photo[]> | undefined)[]> =>
  Promise.all(
    dataset.sources.map(async source =>
      source.kind === 'folder' ? splitPhotos(await listPhotos(source), source.path, random) : undefined,
    ),
  );

/**
 * Step 1 of the method: which pictures the set is made of, training pictures first, ids from 0. Sources share
 * `num_images` and `num_held_out` by weight; a folder with fewer photos than its share gives all it has.
 * The same dataset, seed, poses and files give the same items. Raises `unknown_value`, `too_few_samples`.
 */
export const chooseItems = async (dataset: Dataset, seed: number, poses: readonly NamedPose[]): Promise<Item[]> => {
  const random = new SeededHash(seed);
  const photos = await photosOf(dataset, random);
  const weights = dataset.sources.map(source => source.weight);
  const draw = (split: Split, total: number): Unnumbered[] => {
    const counts = shares(total, weights);
    return dataset.sources.flatMap((source, index) =>
      source.kind === 'mini'
        ? drawMini(source, index, split, counts[index] ?? 0, poses, random)
        : drawPhotos(source, split, counts[index] ?? 0, photos[index]?.[split] ?? []),
    );
  };
  const items = [...draw('train', dataset.num_images), ...draw('held_out', dataset.num_held_out)];
  return items.map((item, id) => ({ ...item, id }));
};
