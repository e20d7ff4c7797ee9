import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Pair } from '../../../orchestrator/contracts/dataset.ts';
import { checkClosedUnderSwap, choosePairs, makeManifest } from '../../../orchestrator/dataset/index.ts';
import { dataset, samples } from './sets.ts';

const trainingIds = (pairs: readonly Pair[]) =>
  new Set(pairs.filter(({ split }) => split === 'train').flatMap(({ a, b }) => [a, b]));

describe('captions: captioned-only', () => {
  it('pairs no training picture but the num_captioned drawn, with y_A and y_B for each order', () => {
    const cases = fc.record({
      seed: fc.nat(2 ** 32 - 1),
      train: fc.integer({ min: 2, max: 30 }),
      num_captioned: fc.integer({ min: 2, max: 40 }),
    });
    fc.assert(
      fc.property(cases, ({ seed, train, num_captioned }) => {
        const set = samples(train, 4);
        const captioned = dataset({ captions: 'captioned-only', num_captioned, num_pairs: 1000 });
        const pairs = choosePairs(set, captioned, seed);
        expect(() => checkClosedUnderSwap(pairs, set)).not.toThrow();
        const drawn = Math.min(train, num_captioned);
        expect(trainingIds(pairs).size).toBe(drawn);
        expect(pairs.filter(({ split }) => split === 'train')).toHaveLength(((drawn * (drawn - 1)) / 2) * 4);
        expect(makeManifest(seed, captioned, set, [], pairs).captioned?.toSorted()).toEqual(
          [...trainingIds(pairs)].toSorted(),
        );
      }),
    );
  });

  it('draws other pictures by another seed, and all alike often', () => {
    const set = samples(10, 2);
    const captioned = dataset({ captions: 'captioned-only', num_captioned: 5, num_pairs: 10 });
    const times = new Map<number, number>();
    for (let seed = 0; seed < 400; seed += 1) {
      for (const id of trainingIds(choosePairs(set, captioned, seed))) times.set(id, (times.get(id) ?? 0) + 1);
    }
    // Binomial with mean 200 and standard deviation 10: five of them either way.
    for (let id = 0; id < 10; id += 1) {
      expect(times.get(id)).toBeGreaterThan(150);
      expect(times.get(id)).toBeLessThan(250);
    }
  });

  it('leaves the held-out pairs as they are under `both`', () => {
    const heldOut = (captions: 'both' | 'captioned-only') =>
      choosePairs(samples(20, 6), dataset({ captions, num_captioned: 4 }), 1).filter(({ split }) => split !== 'train');
    expect(heldOut('captioned-only')).toEqual(heldOut('both'));
  });

  it('combines the drawn pictures alone beside `pairs: all-combinations`', () => {
    const set = samples(20, 4);
    const both = dataset({ captions: 'captioned-only', num_captioned: 7, pairs: 'all-combinations' });
    const manifest = makeManifest(5, both, set, [], choosePairs(set, both, 5));
    expect(manifest.captioned).toHaveLength(7);
    expect(manifest.num_pairs.train).toBe(7 * 6 * 2);
  });
});
