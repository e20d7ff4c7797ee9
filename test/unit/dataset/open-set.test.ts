import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OpenSet, openSet } from '../../../orchestrator/dataset/open-set.ts';
import { type SmallSet, smallSet, writeSmallSet } from '../../fixtures/small-set.ts';

let folder: string;
let written: SmallSet;
let set: OpenSet;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'posetwin-set-'));
  written = writeSmallSet(folder);
  set = await openSet(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const fresh = (change: (folder: string) => void): string => {
  const made = mkdtempSync(join(folder, 'copy-'));
  writeSmallSet(made, smallSet());
  change(made);
  return made;
};

describe('an assembled set', () => {
  it('gives its samples by rows, across the row groups of the table', async () => {
    expect(set.num_samples).toBe(20);
    const samples = await set.samples(5, 11);
    expect(samples.map(({ id }) => id)).toEqual([5, 6, 8, 9, 10, 11]);
    const { image, control, ...rest } = written.drawn[5] ?? expect.fail();
    expect(samples[0]).toMatchObject(rest);
    expect(samples[0]?.image.length).toBe(image.length);
    expect(samples[0]?.control.length).toBe(control.length);
    expect(await set.samples(18, 99)).toHaveLength(2);
  });

  it('gives samples by their ids, whatever the order and the gaps', async () => {
    const found = await set.sampleById([21, 0, 8, 8]);
    expect([...found.keys()].sort((a, b) => a - b)).toEqual([0, 8, 21]);
    expect(found.get(21)?.caption).toBe('a person in a red shirt, number 21');
    await expect(set.sampleById([7])).rejects.toMatchObject({ code: 'corrupt_file' });
  });

  it('gives the couples of one split', async () => {
    expect(await set.numCouples('train')).toBe(15);
    expect(await set.numCouples('held_out')).toBe(3);
    const train = await set.couples('train', 4, 8);
    expect(train.map(({ a, b }) => [a, b])).toEqual(written.couples.slice(4, 8).map(([a, b]) => [a, b]));
    expect(await set.couples('held_out', 1, 99)).toEqual([
      { a: 11, b: 15 },
      { a: 15, b: 19 },
    ]);
  });

  it('gives the couples of one split also where the splits take turns in the table', async () => {
    const { couples } = smallSet();
    const [train, held] = [couples.slice(0, 6), couples.slice(-3)];
    const mixed = train.flatMap((couple, index) => [couple, ...held.slice(index, index + 1)]);
    const made = join(folder, 'mixed');
    writeSmallSet(made, { ...smallSet(), couples: mixed });
    const opened = await openSet(made);
    const idsOf = async (split: 'train' | 'held_out', start: number, end: number) =>
      (await opened.couples(split, start, end)).map(({ a, b }) => [a, b]);
    expect(await idsOf('train', 1, 5)).toEqual(train.slice(1, 5).map(([a, b]) => [a, b]));
    expect(await idsOf('held_out', 0, 9)).toEqual(held.map(([a, b]) => [a, b]));
  });

  it('reads pictures out of the shards byte for byte', async () => {
    for (const sample of await set.samples(0, 20)) {
      const drawn = written.drawn.find(({ id }) => id === sample.id);
      expect((await set.readStored(sample.image)).equals(drawn?.image ?? Buffer.alloc(0))).toBe(true);
      expect((await set.readStored(sample.control)).equals(drawn?.control ?? Buffer.alloc(0))).toBe(true);
    }
  });

  it('streams what was left out', async () => {
    const codes: string[] = [];
    for await (const { code } of set.rejected()) codes.push(code);
    expect(codes).toEqual(['no_person', 'bad_image']);
  });

  it('refuses shards outside its folder, also through a link: unsafe_path', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'posetwin-outside-'));
    symlinkSync(outside, join(folder, 'shards', 'link.tar'));
    for (const shard of ['../x.tar', outside, '.', 'shards/../../x.tar', 'shards/link.tar'])
      await expect(set.readStored({ shard, offset: 0, length: 1 })).rejects.toMatchObject({ code: 'unsafe_path' });
    rmSync(outside, { recursive: true });
  });

  it('tells what is missing: missing_file', async () => {
    await expect(openSet(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'missing_file' });
    for (const name of ['manifest.json', 'samples.parquet', 'pairs.parquet'])
      await expect(openSet(fresh(made => rmSync(join(made, name))))).rejects.toMatchObject({ code: 'missing_file' });
    const stored = { shard: 'shards/000009.tar', offset: 0, length: 1 };
    await expect(set.readStored(stored)).rejects.toMatchObject({ code: 'missing_file' });
    const without = await openSet(fresh(made => rmSync(join(made, 'rejected.jsonl'))));
    await expect(without.rejected().next()).rejects.toMatchObject({ code: 'missing_file' });
  });

  it('tells what is damaged: corrupt_file', async () => {
    const damaged = [
      (made: string) => writeFileSync(join(made, 'manifest.json'), '{"schema_version": 1}'),
      (made: string) => writeFileSync(join(made, 'manifest.json'), '{'),
      (made: string) => truncateSync(join(made, 'samples.parquet'), 900),
    ];
    for (const change of damaged) await expect(openSet(fresh(change))).rejects.toMatchObject({ code: 'corrupt_file' });
    const short = await openSet(fresh(made => truncateSync(join(made, 'shards/000000.tar'), 600)));
    const [first] = await short.samples(0, 1);
    await expect(short.readStored(first?.image ?? expect.fail())).rejects.toMatchObject({ code: 'corrupt_file' });
    const garbled = await openSet(fresh(made => writeFileSync(join(made, 'rejected.jsonl'), '{"id": 1}\n')));
    await expect(garbled.rejected().next()).rejects.toMatchObject({ code: 'corrupt_file' });
  });
});
