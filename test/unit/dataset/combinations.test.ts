import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countCombinations } from '../../../orchestrator/dataset/all-combinations.ts';
import { listQuintuples, manifestOf, type Person, pairUp, people, person, samplesOf } from './sets.ts';

/** Few keypoints and few captions, so that some pairs share none and some share their caption. */
const drawnPeople = fc
  .array(
    fc.record({
      seen: fc.subarray([0, 1, 2, 17]),
      caption: fc.constantFrom('a man', 'a woman', 'a child'),
      shift: fc.integer({ min: 0, max: 40 }),
    }),
    { minLength: 2, maxLength: 12 },
  )
  .map(drawn => drawn.map((one, id) => person(id, one)));
const captions = fc.constantFrom('both' as const, 'swap' as const, 'captioned-only' as const);

/** All quintuples written down, which only small sets allow. */
const listed = (set: readonly Person[], reading: 'both' | 'swap' | 'captioned-only') => {
  const couples = set.flatMap((a, i) => set.slice(i + 1).map(b => [a, b] as const));
  return listQuintuples(
    couples.filter(([a, b]) => a.seen.some(k => b.seen.includes(k))),
    reading,
  );
};

const rowsOf = (set: readonly Person[]) => Int32Array.from(set.keys());
const heldOut = (from: number) => [person(from, { split: 'held_out' }), person(from + 1, { split: 'held_out' })];

describe('all combinations', () => {
  it('are counted as often as they would be listed', () => {
    fc.assert(
      fc.property(drawnPeople, captions, (set, reading) => {
        expect(countCombinations(samplesOf(set), rowsOf(set), reading)).toBe(listed(set, reading).length);
      }),
    );
  });

  it('of thousands of patterns are counted as of few', () => {
    const bits = (id: number) => Array.from({ length: 12 }, (_, k) => k).filter(k => ((id * 7) & (1 << k)) !== 0);
    const set = Array.from({ length: 4096 }, (_, id) => person(id, { seen: bits(id), caption: 'a man' }));
    // Every set of 12 keypoints once: 4096² - 3^12 ordered pairs share one, 4095 of them with themselves.
    expect(countCombinations(samplesOf(set), rowsOf(set), 'swap')).toBe(4096 ** 2 - 3 ** 12 - 4095);
  });

  it('have the mean distance of the quintuples that would be listed', async () => {
    await fc.assert(
      fc.asyncProperty(drawnPeople, captions, async (set, reading) => {
        const all = listed(set, reading);
        fc.pre(all.length > 0);
        const distances = all.map(({ a, b }) => Math.abs((set[a]?.shift ?? 0) - (set[b]?.shift ?? 0)) / 64);
        const mean = distances.reduce((sum, distance) => sum + distance, 0) / distances.length;
        const manifest = await manifestOf(
          [...set, ...heldOut(50)],
          { pairs: 'all-combinations', captions: reading },
          0,
        );
        expect(manifest.mean_pose_distance).toBeCloseTo(mean, 12);
      }),
      { numRuns: 40 },
    );
  });

  it('list the held-out pairs alone, one couple for each picture', async () => {
    const { couples } = await pairUp(people(40, 6), { pairs: 'all-combinations' }, 3);
    expect(couples.train).toEqual([]);
    expect(couples.held_out).toHaveLength(6);
  });

  it('are announced by the manifest with their exact number', async () => {
    // 300 · 299 ordered pairs of different captions, each under two.
    expect(await manifestOf(people(300, 6), { pairs: 'all-combinations' }, 3)).toMatchObject({
      train_pairs: 'all-combinations',
      captions: 'both',
      captioned: null,
      num_pairs: { train: 300 * 299 * 2, held_out: 6 * 4 },
    });
  });

  it('refuse a set in which no two people show a common keypoint with too_few_samples', async () => {
    const set = [person(0, { seen: [3] }), person(1, { seen: [4] }), ...heldOut(2)];
    await expect(pairUp(set, { pairs: 'all-combinations' }, 0)).rejects.toMatchObject({ code: 'too_few_samples' });
  });
});
