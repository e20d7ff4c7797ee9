/** pairs.parquet: couples in row groups, so that ten million of them are never in memory together. */
import { rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { type ColumnSource, fileWriter, ParquetWriter } from 'hyparquet-writer';
import type { Split } from '../contracts/dataset.ts';
import { PosetwinError } from '../errors.ts';

/** Couples of one split, by the ids of their samples. */
export interface PairGroup {
  split: Split;
  a: Int32Array;
  b: Int32Array;
}

const schema = [
  { name: 'root', num_children: 3 },
  { name: 'a', type: 'INT64' as const, repetition_type: 'REQUIRED' as const },
  { name: 'b', type: 'INT64' as const, repetition_type: 'REQUIRED' as const },
  { name: 'split', type: 'BYTE_ARRAY' as const, converted_type: 'UTF8' as const, repetition_type: 'REQUIRED' as const },
];

/** The same as int64: below 2^31 and not negative, an id is its own lower half. */
const widen = (ids: Int32Array): BigInt64Array => {
  const halves = new Int32Array(2 * ids.length);
  for (let i = 0; i < ids.length; i += 1) halves[2 * i] = ids[i] as number;
  return new BigInt64Array(halves.buffer);
};

// Ids in random order neither repeat nor compress, and every group has the same least and greatest.
const idColumn = (name: string, ids: Int32Array): ColumnSource => ({
  name,
  data: widen(ids),
  encoding: 'PLAIN',
  codec: 'UNCOMPRESSED',
  statistics: false,
});

const columnsOf = ({ split, a, b }: PairGroup): ColumnSource[] => [
  idColumn('a', a),
  idColumn('b', b),
  { name: 'split', data: new Array<string>(a.length).fill(split) },
];

const writeGroups = async (path: string, groups: Iterable<PairGroup>): Promise<void> => {
  const writer = new ParquetWriter({ writer: fileWriter(path), schema });
  for (const group of groups) {
    await writer.write({ columnData: columnsOf(group), rowGroupSize: Math.max(group.a.length, 1) });
    // The process answers to signals and reports its progress between two groups.
    await setImmediate();
  }
  await writer.finish();
};

const explained = (error: unknown, file: string): unknown => {
  const full = error instanceof Error && 'code' in error && error.code === 'ENOSPC';
  if (!full) return error;
  const hint = 'Sixteen bytes a couple are needed: free some space, or lower dataset.num_pairs.';
  return new PosetwinError('disk_full', `no space left for ${file}`, { file, hint, cause: error });
};

/** Writes beside the target and renames, so that a reader or a crash never meets half a file. Raises `disk_full`. */
export const writePairFile = async (file: string, groups: Iterable<PairGroup>): Promise<void> => {
  // Always the same name: what a killed process left is written over.
  const temporary = join(dirname(file), `.${basename(file)}.tmp`);
  try {
    await writeGroups(temporary, groups);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw explained(error, file);
  }
};
