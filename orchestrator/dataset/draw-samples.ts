import type { Dataset, Sample } from '../contracts/dataset.ts';
import type { SeededHash } from './random.ts';

/** `count` samples without repetition, in the order in which they stand; all of them when there are not more. */
export const drawSamples = (
  samples: readonly Sample[],
  count: number,
  random: SeededHash,
  purpose: string,
): readonly Sample[] => {
  if (samples.length <= count) return samples;
  const ranked = samples
    .map(({ id }) => ({ id, rank: random.integer(purpose, id) }))
    .sort((a, b) => a.rank - b.rank || a.id - b.id);
  const drawn = new Set(ranked.slice(0, count).map(({ id }) => id));
  return samples.filter(({ id }) => drawn.has(id));
};

/** The training samples that are paired: all of them, or under `captions: captioned-only` those drawn by the seed. */
export const pairedSamples = (
  samples: readonly Sample[],
  { captions, num_captioned }: Dataset,
  random: SeededHash,
): readonly Sample[] => {
  const training = samples.filter(({ split }) => split === 'train');
  return captions === 'captioned-only' ? drawSamples(training, num_captioned, random, 'captioned') : training;
};
