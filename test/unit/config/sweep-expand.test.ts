import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Axis, type Expansion, expand } from '../../../orchestrator/config/sweep-expand.ts';

const axes: Axis<number>[] = [
  { path: 'a', values: [1, 2] },
  { path: 'b', values: [10, 20, 30] },
];
const expanded = (options: Partial<Expansion<number>> = {}) =>
  expand({
    axes,
    strategy: 'grid',
    seed: 0,
    max_trials: null,
    isExcluded: () => false,
    textOf: String,
    ...options,
  }).map(combination => combination.map(({ value }) => value));

const someAxes = fc
  .array(fc.uniqueArray(fc.integer(), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 })
  .map(lists => lists.map((values, index) => ({ path: `axis${index}`, values })));

describe('a grid', () => {
  it('holds every combination, the last axis changing first', () => {
    expect(expanded()).toEqual([
      [1, 10],
      [1, 20],
      [1, 30],
      [2, 10],
      [2, 20],
      [2, 30],
    ]);
    expect(expanded({ axes: [] })).toEqual([]);
  });

  it('has as many different trials as the product of the lengths', () => {
    fc.assert(
      fc.property(someAxes, given => {
        const product = given.reduce((count, { values }) => count * values.length, 1);
        const found = expanded({ axes: given });
        expect(new Set(found.map(String)).size).toBe(product);
        expect(found).toHaveLength(product);
      }),
    );
  });

  it('leaves out what is excluded before it counts max_trials', () => {
    const isExcluded: Expansion<number>['isExcluded'] = ([a]) => a?.value === 1;
    expect(expanded({ isExcluded, max_trials: 2 })).toEqual([
      [2, 10],
      [2, 20],
    ]);
  });
});

describe('a list', () => {
  it('takes axes of equal length side by side', () => {
    const zipped = [
      { path: 'a', values: [1, 2] },
      { path: 'b', values: [3, 4] },
    ];
    expect(expanded({ axes: zipped, strategy: 'list' })).toEqual([
      [1, 3],
      [2, 4],
    ]);
  });
});

describe('random draws', () => {
  it('are combinations of the grid, none twice, the same for the same seed', () => {
    fc.assert(
      fc.property(someAxes, fc.nat(100), fc.integer({ min: 1, max: 80 }), (given, seed, max_trials) => {
        const drawn = expanded({ axes: given, strategy: 'random', seed, max_trials });
        const all = expanded({ axes: given }).map(String);
        expect(drawn).toHaveLength(Math.min(max_trials, all.length));
        expect(new Set(drawn.map(String)).size).toBe(drawn.length);
        expect(drawn.every(trial => all.includes(String(trial)))).toBe(true);
        expect(expanded({ axes: given, strategy: 'random', seed, max_trials })).toEqual(drawn);
        expect(expanded({ axes: given, strategy: 'random', seed, max_trials: max_trials + 1 })).toEqual(
          expect.arrayContaining(drawn),
        );
      }),
    );
  });

  it('differ between seeds', () => {
    const orders = Array.from({ length: 8 }, (_, seed) => String(expanded({ strategy: 'random', seed })));
    expect(new Set(orders).size).toBeGreaterThan(4);
  });
});
