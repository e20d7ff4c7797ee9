import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSet } from '../../../orchestrator/dataset/open-set.ts';
import { readAssembled } from '../../../orchestrator/stages/report-samples.ts';
import { rejectedOf, smallSet, writeSmallSet } from '../../fixtures/small-set.ts';
import { evaluation } from '../report/fixture.ts';

let folder: string;
const set = smallSet();
const rejected = Array.from({ length: 50 }, (_, id) => rejectedOf(id, id % 2 === 0 ? 'no_person' : 'bad_image'));

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'posetwin-report-samples-'));
  writeSmallSet(folder, { ...set, rejected });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Pairs whose B are the held-out samples 11 and 15. */
const evaluated = () => {
  const { pairs, ...rest } = evaluation([3, 4], [2, 2]);
  return { ...rest, pairs: pairs.map((pair, index) => ({ ...pair, a: 3, b: index === 0 ? 11 : 15 })) };
};

describe('what the report reads of a set', () => {
  it('is the first training pictures and what its pairs ask for, with their bytes', async () => {
    const { samples } = await readAssembled(await openSet(folder), evaluated());
    const training = set.drawn.filter(({ split }) => split === 'train').slice(0, 12);
    expect(samples.map(({ id }) => id).sort((a, b) => a - b)).toEqual(
      [...training.map(({ id }) => id), 11, 15].sort((a, b) => a - b),
    );
    for (const { id, png } of samples) {
      const drawn = set.drawn.find(sample => sample.id === id);
      expect(png.image.equals(drawn?.image ?? Buffer.alloc(0))).toBe(true);
      expect(png.control.equals(drawn?.control ?? Buffer.alloc(0))).toBe(true);
    }
  });

  it('lists the first pictures left out of each code, and counts them all', async () => {
    const read = await readAssembled(await openSet(folder), evaluated());
    expect(read.rejected).toHaveLength(40);
    expect(read.manifest.num_rejected).toEqual({ no_person: 25, bad_image: 25 });
  });
});
