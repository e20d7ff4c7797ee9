import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkClosedUnderSwap, choosePairs, makeManifest } from '../../../orchestrator/dataset/index.ts';
import { dataset, sample, samples } from './sets.ts';

describe('pairs', () => {
  it('are closed under swap (Eq. 8, 39), never mix the splits and never pair a picture with itself', () => {
    const cases = fc.record({
      seed: fc.nat(2 ** 32 - 1),
      train: fc.integer({ min: 2, max: 30 }),
      heldOut: fc.integer({ min: 2, max: 8 }),
      num_pairs: fc.integer({ min: 1, max: 60 }),
      captions: fc.constantFrom('both' as const, 'swap' as const),
    });
    fc.assert(
      fc.property(cases, ({ seed, train, heldOut, num_pairs, captions }) => {
        const set = samples(train, heldOut);
        const pairs = choosePairs(set, dataset({ num_pairs, captions }), seed);
        expect(() => checkClosedUnderSwap(pairs, set)).not.toThrow();
        expect(pairs.every(({ a, b, split }) => a !== b && (split === 'train') === (a < train && b < train))).toBe(
          true,
        );
        const couples = Math.min(num_pairs, (train * (train - 1)) / 2);
        expect(pairs.filter(({ split }) => split === 'train')).toHaveLength(couples * (captions === 'both' ? 4 : 2));
        expect(choosePairs(set, dataset({ num_pairs, captions }), seed)).toEqual(pairs);
      }),
    );
  });

  it('begins with different couples, each under the caption of its target pose', () => {
    const set = samples(40, 10);
    const first = choosePairs(set, dataset({ num_pairs: 25 }), 1).slice(0, 25);
    expect(new Set(first.map(({ a, b }) => [a, b].sort().join())).size).toBe(25);
    expect(first.every(({ b, prompt }) => prompt === `caption ${b}`)).toBe(true);
  });

  it('under `far` keeps min_distance, measured as root mean square over common keypoints', () => {
    // Sample i is shifted by i px on a side of 64: a distance of 0.25 is 16 px.
    const far = dataset({ pairs: 'far', min_distance: 0.25, num_pairs: 20 });
    const pairs = choosePairs([...samples(40, 0), sample(40, 'held_out', 0), sample(41, 'held_out', 30)], far, 2);
    expect(pairs.every(({ a, b, split }) => split === 'held_out' || Math.abs(a - b) >= 16)).toBe(true);
  });

  it('refuse a set in which no pair fits with too_few_samples', () => {
    const far = dataset({ pairs: 'far', min_distance: 1, num_pairs: 20 });
    expect(() => choosePairs(samples(10, 4), far, 0)).toThrowError(
      expect.objectContaining({ code: 'too_few_samples' }),
    );
    expect(() => choosePairs(samples(10, 1), dataset(), 0)).toThrowError(
      expect.objectContaining({ code: 'too_few_samples' }),
    );
  });

  it('are refused with set_not_closed when one is taken out', () => {
    const set = samples(6, 2);
    const pairs = choosePairs(set, dataset({ num_pairs: 3 }), 0);
    expect(() => checkClosedUnderSwap(pairs.slice(1), set)).toThrowError(
      expect.objectContaining({ code: 'set_not_closed' }),
    );
  });

  it('are counted in the manifest, with the mean pose distance of the training pairs', () => {
    const set = [sample(0), sample(1, 'train', 32), sample(2, 'held_out'), sample(3, 'held_out')];
    const pairs = choosePairs(set, dataset({ num_pairs: 5 }), 0);
    const manifest = makeManifest(0, dataset(), set, [], pairs);
    expect(manifest).toMatchObject({
      num_samples: { train: 2, held_out: 2 },
      num_pairs: { train: 4, held_out: 4 },
      train_pairs: 'listed',
      captioned: null,
    });
    // One couple, shifted by 32 of 64 px.
    expect(manifest.mean_pose_distance).toBeCloseTo(0.5, 12);
  });
});
