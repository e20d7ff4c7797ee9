import type { Dataset, Manifest, Pair, Rejected, Sample, Split } from '../contracts/dataset.ts';
import { poseDistance } from './pose-distance.ts';

const perSplit = <T>(value: (split: Split) => T): Record<Split, T> => ({
  train: value('train'),
  held_out: value('held_out'),
});

const posesIn = (samples: readonly Sample[], split: Split): string[] => {
  const names = samples.filter(sample => sample.split === split && sample.pose !== '').map(sample => sample.pose);
  return [...new Set(names)].sort();
};

const meanDistance = (pairs: readonly Pair[], samples: readonly Sample[], imageSize: number): number => {
  const byId = new Map(samples.map(sample => [sample.id, sample]));
  const distances = pairs.flatMap(({ a, b, split }) => {
    const [first, second] = [byId.get(a), byId.get(b)];
    if (split !== 'train' || first === undefined || second === undefined) return [];
    return poseDistance(first, second, imageSize) ?? [];
  });
  return distances.reduce((sum, distance) => sum + distance, 0) / Math.max(distances.length, 1);
};

/** The summary that is kept beside a set; the pairs must have passed `checkClosedUnderSwap`. */
export const makeManifest = (
  seed: number,
  { image_size }: Dataset,
  samples: readonly Sample[],
  rejected: readonly Rejected[],
  pairs: readonly Pair[],
): Manifest => ({
  schema_version: 1,
  seed,
  image_size,
  num_samples: perSplit(split => samples.filter(sample => sample.split === split).length),
  num_rejected: rejected.length,
  num_pairs: perSplit(split => pairs.filter(pair => pair.split === split).length),
  closed_under_swap: true,
  poses: perSplit(split => posesIn(samples, split)),
  mean_pose_distance: meanDistance(pairs, samples, image_size),
});
