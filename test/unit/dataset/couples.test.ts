import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawCouples, numCouples, unrankCouple } from '../../../orchestrator/dataset/couples.ts';
import { SeededMix } from '../../../orchestrator/dataset/mix.ts';
import { permutation } from '../../../orchestrator/dataset/permutation.ts';

const seeds = fc.nat(2 ** 32 - 1);
const all = () => true;
const draw = (size: number, count: number, seed: number, fits: (a: number, b: number) => boolean = all) => [
  ...drawCouples(size, count, fits, seed, 'pairs train'),
];

describe('a computed permutation', () => {
  it('meets every number once, whatever its size and seed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), seeds, (size, seed) => {
        const permute = permutation(size, new SeededMix(seed, 'order'));
        const met = new Set(Array.from({ length: size }, (_, index) => permute(index)));
        expect(met.size).toBe(size);
        expect(Math.max(...met)).toBe(size - 1);
      }),
    );
  });

  it('stays inside a domain of 5e13 numbers and meets none twice there', () => {
    const size = numCouples(10_000_000);
    const permute = permutation(size, new SeededMix(3, 'order'));
    const met = Array.from({ length: 20_000 }, (_, index) => permute(index));
    expect(new Set(met).size).toBe(20_000);
    expect(met.every(number => Number.isSafeInteger(number) && number >= 0 && number < size)).toBe(true);
  });
});

describe('ranks', () => {
  it('lead back to what they are of', () => {
    fc.assert(
      fc.property(seeds, fc.nat(2 ** 32 - 1), (seed, thing) => {
        const random = new SeededMix(seed, 'row', 1);
        expect(random.unrank(random.rank(thing))).toBe(thing);
      }),
    );
  });

  it('are spread evenly, and differ between seeds and purposes', () => {
    const [random, other] = [new SeededMix(1, 'row'), new SeededMix(1, 'column')];
    const sixteenths = new Array<number>(16).fill(0);
    let alike = 0;
    for (let counter = 0; counter < 16_000; counter += 1) {
      const bin = Math.floor(random.fraction(counter * 2 ** 20) * 16);
      sixteenths[bin] = (sixteenths[bin] ?? 0) + 1;
      if (Math.floor(other.fraction(counter * 2 ** 20) * 16) === bin) alike += 1;
    }
    // Binomial with mean 1000 and standard deviation 31: five of them either way.
    for (const count of [...sixteenths, alike]) expect(Math.abs(count - 1000)).toBeLessThan(155);
  });
});

describe('couples', () => {
  it('are numbered without a gap, the smaller first', () => {
    const listed = Array.from({ length: 40 }, (_, b) => Array.from({ length: b }, (_, a) => [a, b])).flat();
    expect(listed.map((_, index) => unrankCouple(index))).toEqual(listed);
  });

  it('keep their number up to a hundred million things', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 60_000_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (b, part) => {
        const a = Math.min(Math.floor(part * b), b - 1);
        expect(unrankCouple(numCouples(b) + a)).toEqual([a, b]);
      }),
    );
  });

  it('never come twice in either direction, and every one comes when all are wanted', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), fc.nat(900), seeds, (size, count, seed) => {
        const couples = draw(size, count, seed);
        expect(couples.every(([a, b]) => a !== b && Math.min(a, b) >= 0 && Math.max(a, b) < size)).toBe(true);
        expect(new Set(couples.map(([a, b]) => Math.min(a, b) * size + Math.max(a, b))).size).toBe(couples.length);
        expect(couples).toHaveLength(Math.min(count, Math.max(numCouples(size), 0)));
      }),
    );
  });

  it('are the same for the same seed, and the first ones stay when more are wanted', () => {
    fc.assert(
      fc.property(seeds, seed => {
        const couples = draw(100, 60, seed);
        expect(draw(100, 60, seed)).toEqual(couples);
        expect(draw(100, 20, seed)).toEqual(couples.slice(0, 20));
        expect(draw(100, 60, seed + 1)).not.toEqual(couples);
      }),
    );
  });

  it('are only those that fit, and all of them where fewer fit than are wanted', () => {
    const near = draw(50, 1000, 9, (a, b) => Math.abs(a - b) === 1);
    expect(near.map(([a, b]) => Math.min(a, b)).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 49 }, (_, a) => a),
    );
  });

  it('take every picture about equally often, first and second', () => {
    const times = new Map<string, number>();
    const add = (key: string) => times.set(key, (times.get(key) ?? 0) + 1);
    for (let seed = 0; seed < 40; seed += 1) {
      for (const [a, b] of draw(1000, 500, seed).map(([a, b]) => [a % 10, b % 10])) {
        add(`first ${a}`);
        add(`second ${b}`);
      }
    }
    expect(times.size).toBe(20);
    // Binomial with mean 2000 and standard deviation 42: five of them either way.
    for (const count of times.values()) expect(Math.abs(count - 2000)).toBeLessThan(212);
  });

  it('of three pictures come alike often in each order', () => {
    const times = new Map<string, number>();
    for (let seed = 0; seed < 6000; seed += 1) {
      const order = draw(3, 3, seed)
        .map(([a, b]) => a + b)
        .join('');
      times.set(order, (times.get(order) ?? 0) + 1);
    }
    // Six orders of three couples: mean 1000, standard deviation 29.
    expect(times.size).toBe(6);
    for (const count of times.values()) expect(Math.abs(count - 1000)).toBeLessThan(145);
  });
});
