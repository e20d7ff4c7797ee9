import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pairedRows } from '../../../orchestrator/dataset/draw-samples.ts';
import { writePairs } from '../../../orchestrator/dataset/index.ts';
import { dataset, listQuintuples, manifestOf, pairUp, people, person, samplesOf } from './sets.ts';

const seeds = fc.nat(2 ** 32 - 1);

describe('pairs', () => {
  it('never mix the splits, never pair a picture with itself, and come once and from the seed', async () => {
    const cases = fc.record({
      seed: seeds,
      train: fc.integer({ min: 2, max: 30 }),
      heldOut: fc.integer({ min: 2, max: 8 }),
      num_pairs: fc.integer({ min: 1, max: 60 }),
      captions: fc.constantFrom('both' as const, 'swap' as const),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ seed, train, heldOut, num_pairs, captions }) => {
        const set = people(train, heldOut);
        const { pairing, couples } = await pairUp(set, { num_pairs, captions }, seed);
        for (const split of ['train', 'held_out'] as const) {
          const own = couples[split];
          expect(own.every(([a, b]) => a.id !== b.id && a.split === split && b.split === split)).toBe(true);
          expect(new Set(own.map(([a, b]) => [a.id, b.id].sort().join())).size).toBe(own.length);
          expect(pairing.num_couples[split]).toBe(own.length);
          expect(pairing.num_quintuples[split]).toBe(listQuintuples(own, captions).length);
        }
        expect(couples.train).toHaveLength(Math.min(num_pairs, (train * (train - 1)) / 2));
        expect(couples.held_out).toHaveLength(Math.min(heldOut, (heldOut * (heldOut - 1)) / 2));
        expect((await pairUp(set, { num_pairs, captions }, seed)).couples).toEqual(couples);
      }),
      { numRuns: 40 },
    );
  });

  it('show a common keypoint', async () => {
    const set = Array.from({ length: 12 }, (_, id) => person(id, { seen: id % 2 === 0 ? [0, 1] : [2, 17] }));
    const { couples } = await pairUp(
      [...set, person(12, { split: 'held_out' }), person(13, { split: 'held_out' })],
      {},
      4,
    );
    expect(couples.train).toHaveLength(2 * 15);
    expect(couples.train.every(([a, b]) => a.id % 2 === b.id % 2)).toBe(true);
  });

  it('under `far` keep min_distance, measured as root mean square over common keypoints', async () => {
    // Person i is shifted by i px on a side of 64: a distance of 0.25 is 16 px.
    const heldOut = [person(40, { split: 'held_out', shift: 0 }), person(41, { split: 'held_out', shift: 30 })];
    const { couples } = await pairUp([...people(40, 0), ...heldOut], { pairs: 'far', min_distance: 0.25 }, 2);
    expect(couples.train).toHaveLength((24 * 25) / 2);
    expect(couples.train.every(([a, b]) => Math.abs(a.shift - b.shift) >= 16)).toBe(true);
  });

  it('under `other-class` are of two classes', async () => {
    const { couples } = await pairUp(people(9, 3), { pairs: 'other-class' }, 2);
    // Three classes of three people each.
    expect(couples.train).toHaveLength(27);
    expect(couples.train.every(([a, b]) => a.class !== b.class)).toBe(true);
  });

  it('refuse a set in which no pair fits with too_few_samples, and leave no file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'posetwin-pairs-'));
    const alone = people(4, 2).map(one => ({ ...one, class: 'yoga' }));
    const cases = [
      [people(10, 4), dataset({ pairs: 'far', min_distance: 1 })],
      [people(10, 1), dataset()],
      [people(0, 2), dataset()],
      [alone, dataset({ pairs: 'other-class' })],
    ] as const;
    for (const [set, input] of cases) {
      const writing = writePairs(samplesOf(set), input, 0, join(folder, 'pairs.parquet'));
      await expect(writing).rejects.toMatchObject({ code: 'too_few_samples' });
    }
    expect(await readdir(folder)).toEqual([]);
  });

  it('are counted in the manifest, with the mean pose distance of the training quintuples', async () => {
    const set = [
      person(0),
      person(4, { shift: 32 }),
      person(7, { split: 'held_out' }),
      person(9, { split: 'held_out' }),
    ];
    const manifest = await manifestOf(set, { num_pairs: 5 }, 0);
    expect(manifest).toMatchObject({
      schema_version: 2,
      num_samples: { train: 2, held_out: 2 },
      num_pairs: { train: 4, held_out: 4 },
      num_rejected: { no_person: 2 },
      train_pairs: 'listed',
      captioned: null,
      poses: { train: ['pose 0', 'pose 1'], held_out: ['pose 0', 'pose 1'] },
    });
    // One couple, shifted by 32 of 64 px.
    expect(manifest.mean_pose_distance).toBeCloseTo(0.5, 12);
  });

  it('have a mean distance that counts a couple once for each of its quintuples', async () => {
    const set = [
      person(0, { shift: 0, caption: 'a man' }),
      person(1, { shift: 16, caption: 'a man' }),
      person(2, { shift: 48, caption: 'a girl' }),
      person(3, { split: 'held_out' }),
      person(4, { split: 'held_out' }),
    ];
    const mean = async (captions: 'both' | 'swap') => (await manifestOf(set, { captions }, 1)).mean_pose_distance;
    // Shifts of 16, 48 and 32 px; the first couple has one caption, and so half as many quintuples.
    expect(await mean('both')).toBeCloseTo((16 + 2 * 48 + 2 * 32) / 5 / 64, 12);
    expect(await mean('swap')).toBeCloseTo((16 + 48 + 32) / 3 / 64, 12);
  });
});

describe('captions: captioned-only', () => {
  it('pairs no training picture but the num_captioned drawn', async () => {
    const cases = fc.record({
      seed: seeds,
      train: fc.integer({ min: 2, max: 30 }),
      num_captioned: fc.integer({ min: 2, max: 40 }),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ seed, train, num_captioned }) => {
        const reading = { captions: 'captioned-only' as const, num_captioned, num_pairs: 1000 };
        const { couples, pairing } = await pairUp(people(train, 4), reading, seed);
        const drawn = Math.min(train, num_captioned);
        const ids = new Set(couples.train.flat().map(({ id }) => id));
        expect(ids.size).toBe(drawn);
        expect(pairing.num_quintuples.train).toBe(((drawn * (drawn - 1)) / 2) * 4);
        expect((await manifestOf(people(train, 4), reading, seed)).captioned).toEqual(
          [...ids].toSorted((a, b) => a - b),
        );
      }),
      { numRuns: 40 },
    );
  });

  it('draws other pictures by another seed, and all alike often', () => {
    const reading = dataset({ captions: 'captioned-only', num_captioned: 5 });
    const samples = samplesOf(people(10, 2));
    const times = new Map<number, number>();
    for (let seed = 0; seed < 400; seed += 1) {
      for (const row of pairedRows(samples, reading, seed)) times.set(row, (times.get(row) ?? 0) + 1);
    }
    // Binomial with mean 200 and standard deviation 10: five of them either way.
    for (let row = 0; row < 10; row += 1) expect(Math.abs((times.get(row) ?? 0) - 200)).toBeLessThan(50);
  });

  it('leaves the held-out pairs as they are under `both`', async () => {
    const heldOut = async (captions: 'both' | 'captioned-only') =>
      (await pairUp(people(20, 6), { captions, num_captioned: 4 }, 1)).couples.held_out;
    expect(await heldOut('captioned-only')).toEqual(await heldOut('both'));
  });

  it('combines the drawn pictures alone beside `pairs: all-combinations`', async () => {
    const both = { captions: 'captioned-only' as const, num_captioned: 7, pairs: 'all-combinations' as const };
    const manifest = await manifestOf(people(20, 4), both, 5);
    expect(manifest.captioned).toHaveLength(7);
    expect(manifest.num_pairs.train).toBe(7 * 6 * 2);
  });
});
