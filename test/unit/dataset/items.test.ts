import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Item } from '../../../orchestrator/contracts/assembled.ts';
import type { Dataset, Split } from '../../../orchestrator/contracts/dataset.ts';
import { isPictureSource } from '../../../orchestrator/contracts/sources.ts';
import { chooseItems as choose, type Facts } from '../../../orchestrator/dataset/index.ts';
import { shares } from '../../../orchestrator/dataset/shares.ts';
import { heldOutBelow } from '../../../orchestrator/dataset/split-groups.ts';
import { PosetwinError } from '../../../orchestrator/errors.ts';
import { dataset, facts, factsWith, tableOf } from './sets.ts';

type PosesItem = Extract<Item, { kind: 'poses' }>;
type PictureItem = Extract<Item, { kind: 'picture' }>;

const chooseItems = async (of: Dataset, seed: number, given: Facts): Promise<Item[]> => [
  ...(await choose(of, seed, given)),
];

describe('items of the mini world', () => {
  it('never draws a held-out pose or a held-out seed for training, whatever the seed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(2 ** 32 - 1), async seed => {
        const items = await chooseItems(dataset({ num_images: 20, num_held_out: 5 }), seed, facts);
        for (const item of items) {
          if (item.kind !== 'mini') throw new Error('only the mini world was asked for');
          expect(item.pose === 'tree').toBe(item.split === 'held_out');
          expect(item.seed >= 1_000_000_000).toBe(item.split === 'held_out');
          expect(item.seed).toBeLessThan(2 ** 32);
        }
      }),
    );
  });

  it('gives the same items for the same seed and others for another', async () => {
    const [first, again, other] = await Promise.all([7, 7, 8].map(seed => chooseItems(dataset(), seed, facts)));
    expect(first).toEqual(again);
    expect(first).not.toEqual(other);
    expect(first).toHaveLength(3000 + 96);
  });

  it('keeps the pictures already drawn when more are asked for', async () => {
    const few = await chooseItems(dataset({ num_images: 10, num_held_out: 0 + 1 }), 3, facts);
    const many = await chooseItems(dataset({ num_images: 30, num_held_out: 1 }), 3, facts);
    expect(many.slice(0, 10)).toEqual(few.slice(0, 10));
  });

  it('draws only the poses that the source names, and refuses an unknown one', async () => {
    const only = (name: string) => dataset({ sources: [{ kind: 'mini', weight: 1, poses: [name] }], num_images: 9 });
    const items = await chooseItems(only('standing'), 0, facts);
    expect(new Set(items.flatMap(item => (item.kind === 'mini' && item.split === 'train' ? item.pose : [])))).toEqual(
      new Set(['standing']),
    );
    await expect(chooseItems(only('tree'), 0, facts)).rejects.toMatchObject({ code: 'unknown_value' });
  });
});

/** A list of pictures: the group of each, and which bring a caption. */
const listOf = (groups: readonly number[], hasCaption: (row: number) => boolean = () => true) =>
  tableOf(groups.length, {
    // As hyparquet reads int64.
    group_hash: groups.map(group => BigInt(group * 7_777_777_777)),
    has_caption: groups.map((_, row) => hasCaption(row)),
  });

const folder = { kind: 'folder', weight: 1, path: '/photos', caption: 'a person', detector: 'full' } as const;
const captioner = (num_images: number) => ({ path: '/vit', max_length: 30, num_beams: 5, num_images });

const pictures = async (
  table: ReturnType<typeof listOf>,
  seed = 3,
  input: Partial<Dataset> = {},
): Promise<PictureItem[]> => {
  const items = await chooseItems(dataset({ sources: [folder], ...input }), seed, factsWith(0, table));
  return items.filter(item => item.kind === 'picture');
};
const rowsIn = (items: readonly PictureItem[], split: Split) =>
  items.filter(item => item.split === split).map(({ row }) => row);
const alone = (count: number) => Array.from({ length: count }, (_, row) => row);

describe('items of pictures on disk', () => {
  it('use every row once, and all pictures of a group in one split', async () => {
    const cases = fc.record({
      groups: fc.array(fc.nat(12), { minLength: 1, maxLength: 60 }),
      seed: fc.nat(2 ** 32 - 1),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ groups, seed }) => {
        const items = await pictures(listOf(groups), seed);
        expect(items.map(({ row }) => row).toSorted((a, b) => a - b)).toEqual(alone(groups.length));
        expect(items.map(({ id }) => id)).toEqual(alone(groups.length));
        const heldOut = new Set(rowsIn(items, 'held_out').map(row => groups[row]));
        expect(rowsIn(items, 'train').some(row => heldOut.has(groups[row]))).toBe(false);
        expect(rowsIn(items, 'train').length).toBeGreaterThan(0);
      }),
    );
  });

  it.each([
    [1, 0],
    [2, 1],
    [3, 1],
    [4, 2],
    [7, 2],
    [13, 3],
    [100, 20],
  ])('hold out of %i pictures %i', async (count, heldOut) => {
    expect(rowsIn(await pictures(listOf(alone(count))), 'held_out')).toHaveLength(heldOut);
  });

  it('hold out groups until two pictures are, as long as two remain for training', () => {
    // The first groups rank first; the rank below which all are held out is their number.
    const heldOut = (...sizes: number[]) =>
      heldOutBelow(Float64Array.from(sizes.flatMap((size, group) => new Array<number>(size).fill(group))));
    expect(heldOut(9)).toBe(0);
    expect(heldOut(1, 1, 5, 5)).toBe(2);
    expect(heldOut(1, 3)).toBe(1);
    expect(heldOut(2, 3, 1, 1, 1, 1, 1, 1, 1, 1)).toBe(2);
  });

  it('give the same rows for the same seed and others for another, the first ones whatever is asked for', async () => {
    const list = listOf(alone(200));
    const drawn = async (seed: number, num_images = 50) => rowsIn(await pictures(list, seed, { num_images }), 'train');
    expect(await drawn(7)).toEqual(await drawn(7));
    expect(await drawn(7)).not.toEqual(await drawn(8));
    expect(await drawn(7, 20)).toEqual((await drawn(7)).slice(0, 20));
    expect(await drawn(7)).toHaveLength(50);
  });

  it('take every row about equally often', async () => {
    const times = new Array<number>(20).fill(0);
    for (let seed = 0; seed < 400; seed += 1) {
      for (const row of rowsIn(await pictures(listOf(alone(20)), seed, { num_images: 8 }), 'train')) {
        times[row] = (times[row] ?? 0) + 1;
      }
    }
    // 8 of 20: mean 160, standard deviation 10; five of them either way.
    for (const count of times) expect(Math.abs(count - 160)).toBeLessThan(50);
  });

  it('are drawn again alike by a second iteration', async () => {
    const items = await choose(
      dataset({ sources: [folder], captioner: captioner(3) }),
      1,
      factsWith(
        0,
        listOf(alone(30), () => false),
      ),
    );
    expect([...items]).toEqual([...items]);
  });

  it('are described as often as the captioner is asked, of all sources together, where they bring no caption', async () => {
    const list = listOf(alone(60), row => row % 3 === 0);
    const sources = [folder, { ...folder, path: '/more' }];
    const described = async (num_images: number, seed = 3) =>
      (await pictures(list, seed, { sources, captioner: captioner(num_images) })).filter(({ describe }) => describe);
    const some = await described(25);
    expect(some).toHaveLength(25);
    expect(some.every(({ row }) => row % 3 !== 0)).toBe(true);
    expect(new Set(some.map(({ source }) => source))).toEqual(new Set([0, 1]));
    expect(await described(25, 4)).not.toEqual(some);
    expect(await described(1000)).toHaveLength(2 * 40);
  });

  it('are never described without a captioner', async () => {
    expect((await pictures(listOf(alone(9), () => false))).some(({ describe }) => describe)).toBe(false);
  });

  it('split a list alike in every place among the sources', async () => {
    const items = await pictures(listOf(alone(40)), 5, { sources: [folder, { ...folder, path: '/moved' }] });
    const heldOut = [0, 1].map(source =>
      rowsIn(
        items.filter(item => item.source === source),
        'held_out',
      ).toSorted(),
    );
    expect(heldOut[0]).toHaveLength(8);
    expect(heldOut[0]).toEqual(heldOut[1]);
  });

  it('come beside figures, by weight', async () => {
    const sources = [{ kind: 'mini', weight: 3, poses: null } as const, folder];
    const items = await chooseItems(
      dataset({ sources, num_images: 40, num_held_out: 8 }),
      0,
      factsWith(0, listOf(alone(100))),
    );
    const count = (split: Split, picture: boolean) =>
      items.filter(item => item.split === split && (item.kind === 'picture') === picture).length;
    expect([count('train', true), count('train', false)]).toEqual([10, 30]);
    expect([count('held_out', true), count('held_out', false)]).toEqual([2, 6]);
    expect(dataset({ sources }).sources.map(isPictureSource)).toEqual([false, true]);
  });

  it('refuse an empty list with too_few_samples', async () => {
    await expect(pictures(listOf([]))).rejects.toMatchObject({ code: 'too_few_samples' });
  });
});

describe('items of a table of poses', () => {
  const source = { kind: 'poses', weight: 1, path: '/poses.npz', layout: 'auto' } as const;
  const posed = async (rows: number, seed = 3, num_images = 40, num_held_out = 6): Promise<PosesItem[]> => {
    const items = await chooseItems(dataset({ sources: [source], num_images, num_held_out }), seed, factsWith(rows));
    return items.filter(item => item.kind === 'poses');
  };
  const rowsOf = (items: readonly PosesItem[], split: Split) =>
    items.filter(item => item.split === split).map(({ row }) => row);

  it('uses every row in one split only, a fifth of them held out', async () => {
    const items = await posed(20);
    expect(items).toHaveLength(46);
    const [train, heldOut] = [new Set(rowsOf(items, 'train')), new Set(rowsOf(items, 'held_out'))];
    expect([train.size, heldOut.size]).toEqual([16, 4]);
    expect([...train, ...heldOut].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, row) => row));
  });

  it('uses rows again only when all have been, each time with another seed', async () => {
    const items = (await posed(20)).filter(({ split }) => split === 'train');
    expect(new Set(items.slice(0, 16).map(({ row }) => row)).size).toBe(16);
    expect(items.slice(16, 32).map(({ row }) => row)).toEqual(items.slice(0, 16).map(({ row }) => row));
    expect(new Set(items.map(({ seed }) => seed)).size).toBe(40);
  });

  it('draws held-out pictures by seeds that training never has', async () => {
    for (const { split, seed } of await posed(20)) expect(seed >= 1_000_000_000).toBe(split === 'held_out');
  });

  it('gives the same items for the same seed, and another split for another', async () => {
    const [first, again, other] = await Promise.all([7, 7, 8].map(seed => posed(50, seed)));
    expect(first).toEqual(again);
    expect(rowsOf(first ?? [], 'held_out')).not.toEqual(rowsOf(other ?? [], 'held_out'));
  });

  it('splits a table alike under every name and in every place among the sources', async () => {
    const sources = [source, { ...source, path: '/moved.npz' }];
    const items = await chooseItems(dataset({ sources, num_images: 80, num_held_out: 20 }), 3, factsWith(20));
    const heldOut = sources.map(({ path }) => {
      const own = items.filter(item => item.kind === 'poses').filter(item => item.path === path);
      return new Set(rowsOf(own, 'held_out'));
    });
    expect(heldOut[0]?.size).toBe(4);
    expect(heldOut[0]).toEqual(heldOut[1]);
  });

  it('keeps its only row for training', async () => {
    expect(new Set((await posed(1)).map(({ split }) => split))).toEqual(new Set(['train']));
  });

  it('passes on why a table cannot be counted', async () => {
    const countRows = () => Promise.reject(new PosetwinError('corrupt_file', 'cut short'));
    const chosen = chooseItems(dataset({ sources: [source] }), 0, { ...facts, countRows });
    await expect(chosen).rejects.toMatchObject({ code: 'corrupt_file' });
  });
});

describe('shares', () => {
  it('adds up to the total and stays within one of the exact proportion', () => {
    const weights = fc.array(fc.double({ min: 0.01, max: 100, noNaN: true }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.nat(10_000), weights, (total, given) => {
        const parts = shares(total, given);
        const sum = given.reduce((a, b) => a + b, 0);
        expect(parts.reduce((a, b) => a + b, 0)).toBe(total);
        for (const [i, weight] of given.entries()) {
          expect(Math.abs((parts[i] ?? 0) - (total * weight) / sum)).toBeLessThan(1 + 1e-6);
        }
      }),
    );
  });
});
