import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Item, Split } from '../../../orchestrator/contracts/dataset.ts';
import { chooseItems } from '../../../orchestrator/dataset/index.ts';
import { shares } from '../../../orchestrator/dataset/shares.ts';
import { PosetwinError } from '../../../orchestrator/errors.ts';
import { dataset, facts, factsWith } from './sets.ts';

type PosesItem = Extract<Item, { kind: 'poses' }>;

const folderOf = async (names: readonly string[]): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'posetwin-folder-'));
  await mkdir(join(folder, 'inner'));
  for (const name of names) await writeFile(join(folder, name), 'x');
  return folder;
};

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

describe('items of a folder', () => {
  it('reads photos in every subfolder, each with the first line of its text file as caption', async () => {
    const path = await folderOf(['a.jpg', 'b.PNG', 'notes.md', 'inner/c.jpeg', 'd.webp']);
    await writeFile(join(path, 'a.txt'), 'a man on skis\nsecond line');
    const source = { kind: 'folder', weight: 1, path, caption: 'a person', detector: 'full' } as const;
    const items = await chooseItems(dataset({ sources: [source] }), 0, facts);
    const captions = items.flatMap(item => (item.kind === 'folder' ? [[item.path, item.caption]] : []));
    expect(captions.toSorted()).toEqual([
      [join(path, 'a.jpg'), 'a man on skis'],
      [join(path, 'b.PNG'), 'a person'],
      [join(path, 'd.webp'), 'a person'],
      [join(path, 'inner/c.jpeg'), 'a person'],
    ]);
    expect(items.filter(item => item.split === 'held_out')).toHaveLength(2);
  });

  it('splits by names alone, so that a moved folder keeps its split', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `${index}.jpg`);
    const heldOut = async (path: string) => {
      const source = { kind: 'folder', weight: 1, path, caption: 'a person', detector: 'full' } as const;
      const items = await chooseItems(dataset({ sources: [source] }), 5, facts);
      return items.flatMap(item =>
        item.kind === 'folder' && item.split === 'held_out' ? item.path.slice(path.length) : [],
      );
    };
    const [here, there] = await Promise.all([folderOf(names).then(heldOut), folderOf(names).then(heldOut)]);
    expect(here).toEqual(there);
    expect(here).toHaveLength(4);
  });

  it('refuses a folder without photos with too_few_samples', async () => {
    const path = await folderOf(['notes.md']);
    const source = { kind: 'folder', weight: 1, path, caption: 'a person', detector: 'full' } as const;
    await expect(chooseItems(dataset({ sources: [source] }), 0, facts)).rejects.toMatchObject({
      code: 'too_few_samples',
    });
  });
});

describe('items of a table of poses', () => {
  const source = { kind: 'poses', weight: 1, path: '/poses.npz', layout: 'auto' } as const;
  const choose = async (rows: number, seed = 3, num_images = 40, num_held_out = 6): Promise<PosesItem[]> => {
    const items = await chooseItems(dataset({ sources: [source], num_images, num_held_out }), seed, factsWith(rows));
    return items.filter(item => item.kind === 'poses');
  };
  const rowsOf = (items: readonly PosesItem[], split: Split) =>
    items.filter(item => item.split === split).map(({ row }) => row);

  it('uses every row in one split only, a fifth of them held out', async () => {
    const items = await choose(20);
    expect(items).toHaveLength(46);
    const [train, heldOut] = [new Set(rowsOf(items, 'train')), new Set(rowsOf(items, 'held_out'))];
    expect([train.size, heldOut.size]).toEqual([16, 4]);
    expect([...train, ...heldOut].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, row) => row));
  });

  it('uses rows again only when all have been, each time with another seed', async () => {
    const items = (await choose(20)).filter(({ split }) => split === 'train');
    expect(new Set(items.slice(0, 16).map(({ row }) => row)).size).toBe(16);
    expect(items.slice(16, 32).map(({ row }) => row)).toEqual(items.slice(0, 16).map(({ row }) => row));
    expect(new Set(items.map(({ seed }) => seed)).size).toBe(40);
  });

  it('draws held-out pictures by seeds that training never has', async () => {
    for (const { split, seed } of await choose(20)) expect(seed >= 1_000_000_000).toBe(split === 'held_out');
  });

  it('gives the same items for the same seed, and another split for another', async () => {
    const [first, again, other] = await Promise.all([7, 7, 8].map(seed => choose(50, seed)));
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
    expect(new Set((await choose(1)).map(({ split }) => split))).toEqual(new Set(['train']));
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
