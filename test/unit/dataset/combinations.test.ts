import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Sample } from '../../../orchestrator/contracts/dataset.ts';
import { countCombinations, meanCombinationDistance } from '../../../orchestrator/dataset/all-combinations.ts';
import { checkClosedUnderSwap, choosePairs, makeManifest } from '../../../orchestrator/dataset/index.ts';
import { quintuples } from '../../../orchestrator/dataset/pairs.ts';
import { poseDistance } from '../../../orchestrator/dataset/pose-distance.ts';
import { SeededHash } from '../../../orchestrator/dataset/random.ts';
import { dataset, sample, samples } from './sets.ts';

/** Few keypoints and few captions, so that some pairs share none and some share their caption. */
const person = fc.record({
  seen: fc.subarray([0, 1, 2, 17]),
  caption: fc.constantFrom('a man', 'a woman', 'a child'),
  shift: fc.integer({ min: 0, max: 40 }),
});
const people = fc.array(person, { minLength: 2, maxLength: 12 }).map(drawn =>
  drawn.map(({ seen, caption, shift }, id) => {
    const drawnSample = sample(id, 'train', shift, caption);
    const keypoints = drawnSample.keypoints.map(([x, y], k): [number, number, number] => [
      x,
      y,
      seen.includes(k) ? 2 : 0,
    ]);
    return { ...drawnSample, keypoints };
  }),
);
const captions = fc.constantFrom('both' as const, 'swap' as const, 'captioned-only' as const);

/** All quintuples written down, which only small sets allow. */
const listed = (set: readonly Sample[], reading: 'both' | 'swap' | 'captioned-only') => {
  const couples = set.flatMap((a, i) => set.slice(i + 1).map(b => [a, b] as const));
  return quintuples(
    couples.filter(([a, b]) => poseDistance(a, b, 64) !== undefined),
    reading,
  );
};

describe('all combinations', () => {
  it('are counted as often as they would be listed, closed under swap (Eq. 8, 39)', () => {
    fc.assert(
      fc.property(people, captions, (set, reading) => {
        const all = listed(set, reading);
        expect(() => checkClosedUnderSwap(all, set)).not.toThrow();
        expect(countCombinations(set, reading)).toBe(all.length);
      }),
    );
  });

  it('have the mean distance of the quintuples that would be listed', () => {
    fc.assert(
      fc.property(people, captions, (set, reading) => {
        const distances = listed(set, reading).map(({ a, b }) => {
          const [first, second] = [set[a], set[b]];
          return first && second ? (poseDistance(first, second, 64) ?? Number.NaN) : Number.NaN;
        });
        const mean = distances.reduce((sum, distance) => sum + distance, 0) / Math.max(distances.length, 1);
        expect(meanCombinationDistance(set, reading, 64, new SeededHash(0))).toBeCloseTo(mean, 12);
      }),
    );
  });

  it('list the held-out pairs alone, one couple for each picture', () => {
    const pairs = choosePairs(samples(40, 6), dataset({ pairs: 'all-combinations' }), 3);
    expect(pairs.every(({ split }) => split === 'held_out')).toBe(true);
    expect(pairs).toHaveLength(6 * 4);
  });

  it('are announced by the manifest with their exact number', () => {
    const set = samples(300, 6);
    const all = dataset({ pairs: 'all-combinations' });
    const manifest = makeManifest(3, all, set, [], choosePairs(set, all, 3));
    // 300 · 299 ordered pairs of different captions, each under two.
    expect(manifest).toMatchObject({
      train_pairs: 'all-combinations',
      captions: 'both',
      captioned: null,
      num_pairs: { train: 300 * 299 * 2, held_out: 6 * 4 },
    });
  });

  it('refuse a set in which no two people show a common keypoint with too_few_samples', () => {
    const one = (id: number, k: number): Sample => {
      const { keypoints, ...rest } = sample(id);
      return { ...rest, keypoints: keypoints.map(([x, y], index) => [x, y, index === k ? 2 : 0]) };
    };
    const set = [one(0, 3), one(1, 4), sample(2, 'held_out'), sample(3, 'held_out')];
    expect(() => choosePairs(set, dataset({ pairs: 'all-combinations' }), 0)).toThrowError(
      expect.objectContaining({ code: 'too_few_samples' }),
    );
  });
});
