import type { Sample } from '../../contracts/assembled.ts';
import type { Split } from '../../contracts/dataset.ts';
import type { CoupleIds, OpenSet } from '../../dataset/open-set.ts';
import { sampleDistance } from '../../dataset/pose-distance.ts';
import { SeededHash } from '../../dataset/random.ts';

export interface ShownPair {
  split: Split;
  a: Sample;
  b: Sample;
  /** root mean square, fraction of the side; undefined where they show no common keypoint */
  distance: number | undefined;
}

/** A quarter is held out, unless one of the splits has fewer. */
const sharesOf = (train: number, heldOut: number, wanted: number): Record<Split, number> => {
  const held_out = Math.min(heldOut, Math.max(Math.floor(wanted / 4), wanted - train));
  return { train: Math.min(train, wanted - held_out), held_out };
};

/** Where every combination is trained on, none is listed: neighbours of a drawn order are paired. */
const drawCombinations = async (set: OpenSet, wanted: number): Promise<CoupleIds[]> => {
  const random = new SeededHash(set.manifest.seed);
  const rows = Array.from({ length: 4 * wanted }, (_, index) => random.below(set.num_samples, 'browse', index));
  const captioned = set.manifest.captioned === null ? undefined : new Set(set.manifest.captioned);
  const ids: number[] = [];
  for (const row of new Set(rows)) {
    const [sample] = await set.samples(row, row + 1);
    if (sample?.split === 'train' && (captioned?.has(sample.id) ?? true)) ids.push(sample.id);
    if (ids.length > wanted) break;
  }
  return ids.slice(1).map((b, index) => ({ a: ids[index] ?? b, b }));
};

const couplesOf = async (set: OpenSet, wanted: number): Promise<(CoupleIds & { split: Split })[]> => {
  const [listed, held] = [await set.numCouples('train'), await set.numCouples('held_out')];
  const drawn = listed === 0 && set.num_samples > 0 ? await drawCombinations(set, wanted) : undefined;
  const { train, held_out } = sharesOf(drawn?.length ?? listed, held, wanted);
  const training = drawn?.slice(0, train) ?? (await set.couples('train', 0, train));
  return [
    ...training.map(couple => ({ ...couple, split: 'train' as const })),
    ...(await set.couples('held_out', 0, held_out)).map(couple => ({ ...couple, split: 'held_out' as const })),
  ];
};

/** The first couples of each split, at most `wanted`, in the order the seed drew them. Raises `corrupt_file`. */
export const choosePairsToShow = async (set: OpenSet, wanted: number): Promise<ShownPair[]> => {
  const couples = await couplesOf(set, wanted);
  const samples = await set.sampleById(couples.flatMap(({ a, b }) => [a, b]));
  return couples.flatMap(({ a: first, b: second, split }) => {
    const [a, b] = [samples.get(first), samples.get(second)];
    if (a === undefined || b === undefined) return [];
    return [{ split, a, b, distance: sampleDistance(a, b, set.manifest.image_size) }];
  });
};
