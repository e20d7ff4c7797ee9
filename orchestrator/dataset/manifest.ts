import type { Manifest } from '../contracts/assembled.ts';
import type { Dataset, Split } from '../contracts/dataset.ts';
import { readTexts } from './columns.ts';
import { meanDistance } from './mean-distance.ts';
import type { Pairing } from './pairs.ts';
import { rowsOf, type Samples } from './samples.ts';

/** What is known from elsewhere than the samples. */
export type Provenance = Pick<Manifest, 'num_rejected' | 'sources' | 'shards' | 'warnings'>;

const perSplit = <T>(value: (split: Split) => T): Record<Split, T> => ({
  train: value('train'),
  held_out: value('held_out'),
});

const readPoses = async ({ table, is_train }: Samples): Promise<Record<Split, string[]>> => {
  const poses = perSplit(() => new Set<string>());
  await readTexts(table, 'pose', (pose, row) => {
    if (pose !== '') poses[is_train[row] === 1 ? 'train' : 'held_out'].add(pose);
  });
  return perSplit(split => [...poses[split]].sort());
};

/** The summary that is kept beside a set, and what Python makes quintuples by. Raises `corrupt_file`. */
export const makeManifest = async (
  seed: number,
  dataset: Dataset,
  samples: Samples,
  pairing: Pairing,
  { num_rejected, sources, shards, warnings }: Provenance,
): Promise<Manifest> => ({
  schema_version: 2,
  seed,
  image_size: dataset.image_size,
  num_samples: perSplit(split => rowsOf(samples, split).length),
  num_rejected,
  num_pairs: pairing.num_quintuples,
  train_pairs: dataset.pairs === 'all-combinations' ? 'all-combinations' : 'listed',
  captions: dataset.captions,
  captioned:
    dataset.captions === 'captioned-only' ? Array.from(pairing.paired, row => samples.ids[row] as number) : null,
  closed_under_swap: true,
  poses: await readPoses(samples),
  mean_pose_distance: await meanDistance(samples, dataset, seed, pairing),
  sources,
  shards,
  warnings,
});
