import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseItems } from '../../../orchestrator/dataset/index.ts';
import { shares } from '../../../orchestrator/dataset/shares.ts';
import { dataset, poses } from './sets.ts';

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
        const items = await chooseItems(dataset({ num_images: 20, num_held_out: 5 }), seed, poses);
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
    const [first, again, other] = await Promise.all([7, 7, 8].map(seed => chooseItems(dataset(), seed, poses)));
    expect(first).toEqual(again);
    expect(first).not.toEqual(other);
    expect(first).toHaveLength(3000 + 96);
  });

  it('keeps the pictures already drawn when more are asked for', async () => {
    const few = await chooseItems(dataset({ num_images: 10, num_held_out: 0 + 1 }), 3, poses);
    const many = await chooseItems(dataset({ num_images: 30, num_held_out: 1 }), 3, poses);
    expect(many.slice(0, 10)).toEqual(few.slice(0, 10));
  });

  it('draws only the poses that the source names, and refuses an unknown one', async () => {
    const only = (name: string) => dataset({ sources: [{ kind: 'mini', weight: 1, poses: [name] }], num_images: 9 });
    const items = await chooseItems(only('standing'), 0, poses);
    expect(new Set(items.flatMap(item => (item.kind === 'mini' && item.split === 'train' ? item.pose : [])))).toEqual(
      new Set(['standing']),
    );
    await expect(chooseItems(only('tree'), 0, poses)).rejects.toMatchObject({ code: 'unknown_value' });
  });
});

describe('items of a folder', () => {
  it('reads photos in every subfolder, each with the first line of its text file as caption', async () => {
    const path = await folderOf(['a.jpg', 'b.PNG', 'notes.md', 'inner/c.jpeg', 'd.webp']);
    await writeFile(join(path, 'a.txt'), 'a man on skis\nsecond line');
    const source = { kind: 'folder', weight: 1, path, caption: 'a person', detector: 'full' } as const;
    const items = await chooseItems(dataset({ sources: [source] }), 0, []);
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
      const items = await chooseItems(dataset({ sources: [source] }), 5, []);
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
    await expect(chooseItems(dataset({ sources: [source] }), 0, [])).rejects.toMatchObject({ code: 'too_few_samples' });
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
