import type { Dataset, Manifest, Pair, Rejected, Sample, Split } from '../contracts/dataset.ts';
import { countCombinations, meanCombinationDistance } from './all-combinations.ts';
import { pairedSamples } from './draw-samples.ts';
import { poseDistance } from './pose-distance.ts';
import { SeededHash } from './random.ts';

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

type TrainingPairs = Pick<Manifest, 'train_pairs' | 'mean_pose_distance'> & { count: number };

const aboutTrainingPairs = (
  { pairs: reading, captions, image_size }: Dataset,
  samples: readonly Sample[],
  paired: readonly Sample[],
  pairs: readonly Pair[],
  random: SeededHash,
): TrainingPairs =>
  reading === 'all-combinations'
    ? {
        train_pairs: 'all-combinations',
        count: countCombinations(paired, captions),
        mean_pose_distance: meanCombinationDistance(paired, captions, image_size, random),
      }
    : {
        train_pairs: 'listed',
        count: pairs.filter(({ split }) => split === 'train').length,
        mean_pose_distance: meanDistance(pairs, samples, image_size),
      };

/** The summary that is kept beside a set, and what Python makes `all-combinations` from; `pairs` of `choosePairs`. */
export const makeManifest = (
  seed: number,
  dataset: Dataset,
  samples: readonly Sample[],
  rejected: readonly Rejected[],
  pairs: readonly Pair[],
): Manifest => {
  const random = new SeededHash(seed);
  const paired = pairedSamples(samples, dataset, random);
  const { count, ...training } = aboutTrainingPairs(dataset, samples, paired, pairs, random);
  return {
    schema_version: 1,
    seed,
    image_size: dataset.image_size,
    num_samples: perSplit(split => samples.filter(sample => sample.split === split).length),
    num_rejected: rejected.length,
    num_pairs: { train: count, held_out: pairs.filter(({ split }) => split === 'held_out').length },
    captions: dataset.captions,
    captioned: dataset.captions === 'captioned-only' ? paired.map(({ id }) => id) : null,
    closed_under_swap: true,
    poses: perSplit(split => posesIn(samples, split)),
    ...training,
  };
};
