import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetWriteFile } from 'hyparquet-writer';
import { afterAll, describe, expect, it } from 'vitest';
import { makeManifest, openTable, readSamples, writePairs } from '../../../orchestrator/dataset/index.ts';
import { readPointsAt, rowsOf } from '../../../orchestrator/dataset/samples.ts';
import { dataset, manifestOf, people, samplesOf } from './sets.ts';

const folder = mkdtempSync(join(tmpdir(), 'posetwin-samples-'));
afterAll(() => rmSync(folder, { recursive: true }));

const texts = { type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const;
const required = { repetition_type: 'REQUIRED' } as const;
const schema = [
  { name: 'root', num_children: 7 },
  { name: 'id', type: 'INT64' as const, ...required },
  // As pandas and others write columns that could hold nothing.
  { name: 'split', ...texts, repetition_type: 'OPTIONAL' as const },
  { name: 'pose', ...texts, ...required },
  { name: 'keypoints', converted_type: 'LIST' as const, num_children: 1, ...required },
  { name: 'list', repetition_type: 'REPEATED' as const, num_children: 1 },
  { name: 'element', type: 'DOUBLE' as const, ...required },
  { name: 'visible', type: 'INT32' as const, ...required },
  { name: 'caption_hash', type: 'INT64' as const, repetition_type: 'OPTIONAL' as const },
  { name: 'class_hash', type: 'INT64' as const, ...required },
];

const set = people(2400, 100);
const expected = samplesOf(set);
const big = 2 ** 47;

const write = (name: string, ids: readonly number[] = set.map(({ id }) => id)): string => {
  const file = join(folder, name);
  const keypoints = set.map(({ shift }) => Array.from({ length: 18 }, (_, k) => [k + shift, 2 * k, 2]).flat());
  const wide = (values: ArrayLike<number>) => BigInt64Array.from(Array.from(values, value => BigInt(value)));
  parquetWriteFile({
    filename: file,
    schema,
    rowGroupSize: 1100,
    pageSize: 4096,
    columnData: [
      { name: 'id', data: wide(ids) },
      { name: 'split', data: set.map(({ split }) => split) },
      { name: 'pose', data: set.map(({ pose }) => pose) },
      { name: 'keypoints', data: keypoints },
      { name: 'visible', data: expected.visible },
      { name: 'caption_hash', data: wide(expected.caption_hash.map(hash => big + hash)) },
      { name: 'class_hash', data: wide(expected.class_hash ?? []) },
    ],
  });
  return file;
};
const file = write('samples.parquet');

describe('samples.parquet', () => {
  it('is read by columns, over groups and pages, whether or not they may hold nothing', async () => {
    const samples = await readSamples(file, { pairs: 'random' });
    expect(samples.num_rows).toBe(2500);
    expect(samples.ids).toEqual(expected.ids);
    expect(samples.is_train).toEqual(expected.is_train);
    expect(samples.visible).toEqual(expected.visible);
    expect(samples.caption_hash).toEqual(expected.caption_hash.map(hash => big + hash));
    expect([samples.class_hash, samples.points]).toEqual([undefined, undefined]);
    expect(rowsOf(samples, 'held_out')).toEqual(Int32Array.from({ length: 100 }, (_, i) => 2400 + i));
  });

  it('gives classes and keypoints where the reading needs them', async () => {
    expect((await readSamples(file, { pairs: 'other-class' })).class_hash).toEqual(expected.class_hash);
    expect((await readSamples(file, { pairs: 'far' })).points).toEqual(expected.points);
  });

  it('gives the keypoints of some rows, few or many of a group', async () => {
    const table = await openTable(file);
    const many = Array.from({ length: 300 }, (_, i) => 1101 + 3 * i);
    const rows = Int32Array.from([7, ...many, 2499]);
    const points = await readPointsAt(table, rows);
    for (const [place, row] of rows.entries()) {
      expect([...points.subarray(36 * place, 36 * place + 36)]).toEqual([
        ...(expected.points?.subarray(36 * row, 36 * row + 36) ?? []),
      ]);
    }
  });

  it('leads to the same pairs and manifest as columns in memory', async () => {
    const reading = { num_pairs: 3000, image_size: 512 };
    const samples = await readSamples(file, { pairs: 'random' });
    const pairing = await writePairs(samples, dataset(reading), 5, join(folder, 'pairs.parquet'));
    const given = { num_rejected: { no_person: 2 }, sources: [], shards: [], warnings: [] };
    expect(await makeManifest(5, dataset(reading), samples, pairing, given)).toEqual(await manifestOf(set, reading, 5));
  });

  it('gives the same bytes of pairs.parquet for the same seed', async () => {
    const samples = await readSamples(file, { pairs: 'random' });
    const bytes = async (seed: number) => {
      await writePairs(samples, dataset(), seed, join(folder, 'pairs.parquet'));
      return readFileSync(join(folder, 'pairs.parquet'));
    };
    const first = await bytes(1);
    expect(first.equals(await bytes(1))).toBe(true);
    expect(first.equals(await bytes(2))).toBe(false);
  });

  it('is a missing_file where there is none, and a corrupt_file where it is damaged or lacks a column', async () => {
    const read = (path: string) => readSamples(path, { pairs: 'random' });
    await expect(read(join(folder, 'none.parquet'))).rejects.toMatchObject({ code: 'missing_file' });
    const cut = join(folder, 'cut.parquet');
    writeFileSync(cut, readFileSync(file).subarray(0, 5000));
    await expect(read(cut)).rejects.toMatchObject({ code: 'corrupt_file' });
    const other = join(folder, 'other.parquet');
    parquetWriteFile({ filename: other, columnData: [{ name: 'id', data: [1, 2], type: 'INT32' }] });
    await expect(read(other)).rejects.toMatchObject({ code: 'corrupt_file' });
  });

  it('is a corrupt_file where its ids do not rise', async () => {
    const twice = write(
      'twice.parquet',
      set.map(({ id }) => (id === 9 ? 8 : id)),
    );
    await expect(readSamples(twice, { pairs: 'random' })).rejects.toMatchObject({ code: 'corrupt_file' });
  });
});
