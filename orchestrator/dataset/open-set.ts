/** Reading an assembled set. Tables are read in slices and pictures by their place: memory does not grow with the set. */
import { createReadStream, existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { z } from 'zod';
import { Manifest, Rejected, type Sample, type StoredFile } from '../contracts/assembled.ts';
import { Split } from '../contracts/dataset.ts';
import { PosetwinError } from '../errors.ts';
import { openTable, type Table } from './parquet.ts';
import { Couple, corrupt, sampleColumns, toSample } from './set-rows.ts';
import { StoredFiles } from './stored-files.ts';

/** Two samples that are paired, in the order they were drawn. */
export interface CoupleIds {
  a: number;
  b: number;
}

/** Rows of one split that follow each other in pairs.parquet. */
interface Stretch {
  split: Split;
  start: number;
  end: number;
}

/** A row costs as much as the row group it lies in: those near each other are read together. */
const longestReading = 8192;

const readings = (rows: readonly number[]): { start: number; end: number; rows: number[] }[] => {
  const found: { start: number; end: number; rows: number[] }[] = [];
  for (const row of rows) {
    const last = found.at(-1);
    if (last === undefined || row >= last.start + longestReading) found.push({ start: row, end: row + 1, rows: [row] });
    else {
      last.end = row + 1;
      last.rows.push(row);
    }
  }
  return found;
};

/** An assembled set on disk; made by `openSet`. */
export class OpenSet {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly num_samples: number;
  readonly #samples: Table;
  readonly #pairs: Table;
  #stretches: Promise<Stretch[]> | undefined;
  readonly #files: StoredFiles;

  constructor(folder: string, manifest: Manifest, samples: Table, pairs: Table) {
    this.folder = folder;
    this.manifest = manifest;
    this.num_samples = samples.num_rows;
    this.#samples = samples;
    this.#pairs = pairs;
    this.#files = new StoredFiles(folder);
  }

  /** Samples of the rows `start` to before `end`, in the order of their ids. Raises `corrupt_file`. */
  async samples(start: number, end: number): Promise<Sample[]> {
    const rows = await this.#samples.rows(start, Math.min(end, this.num_samples), sampleColumns);
    return rows.map((row, index) => this.#sampleOf(row, start + index));
  }

  /** Calls back with one column of samples.parquet, slice by slice in order; `start` is the row of the first value. */
  forEachSlice(column: string, use: (values: ArrayLike<unknown>, start: number) => void): Promise<void> {
    return this.#samples.forEachSlice(column, use);
  }

  /** The samples of these ids. Raises `corrupt_file` where the table has no such sample. */
  async sampleById(ids: readonly number[]): Promise<Map<number, Sample>> {
    const rows = await this.#rowsOf([...new Set(ids)].sort((a, b) => a - b));
    const found = new Map<number, Sample>();
    for (const { start, end, rows: wanted } of readings(rows)) {
      const read = await this.#samples.rows(start, end, sampleColumns);
      for (const row of wanted) {
        const sample = this.#sampleOf(read[row - start], row);
        found.set(sample.id, sample);
      }
    }
    return found;
  }

  /** How many couples of this split are listed; `train_pairs: all-combinations` lists none of training. */
  async numCouples(split: Split): Promise<number> {
    return (await this.#stretchesOf(split)).reduce((sum, { start, end }) => sum + end - start, 0);
  }

  /** Couples `start` to before `end` of one split, in the order they were drawn. Raises `corrupt_file`. */
  async couples(split: Split, start: number, end: number): Promise<CoupleIds[]> {
    const found: CoupleIds[] = [];
    let before = 0;
    for (const stretch of await this.#stretchesOf(split)) {
      const size = stretch.end - stretch.start;
      const [from, to] = [Math.max(start - before, 0), Math.min(end - before, size)];
      if (from < to) {
        const rows = await this.#pairs.rows(stretch.start + from, stretch.start + to, ['a', 'b']);
        found.push(...rows.map(row => this.#coupleOf(row)));
      }
      before += size;
    }
    return found;
  }

  /** The bytes of a picture. Raises `missing_file`, `corrupt_file`, `unsafe_path`. */
  readStored(file: StoredFile): Promise<Buffer> {
    return this.#files.read(file);
  }

  /** Every picture left out, one after the other. Raises `missing_file`, `corrupt_file`. */
  async *rejected(): AsyncGenerator<Rejected> {
    const file = join(this.folder, 'rejected.jsonl');
    if (!existsSync(file)) {
      if (Object.keys(this.manifest.num_rejected).length === 0) return;
      throw new PosetwinError('missing_file', `${file} does not exist`, { file });
    }
    let number = 0;
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
      number += 1;
      if (line.trim() !== '') yield parseAs(Rejected, line, file, number);
    }
  }

  #sampleOf(given: unknown, row: number): Sample {
    try {
      return toSample(given);
    } catch (cause) {
      throw corrupt(join(this.folder, 'samples.parquet'), `has no sample in row ${row}`, cause);
    }
  }

  #coupleOf(row: unknown): CoupleIds {
    const parsed = Couple.safeParse(row);
    if (!parsed.success) throw corrupt(join(this.folder, 'pairs.parquet'), 'holds what is no couple', parsed.error);
    return parsed.data;
  }

  async #rowsOf(ids: readonly number[]): Promise<number[]> {
    const rows: number[] = [];
    // Both are sorted: one pass finds them all.
    await this.forEachSlice('id', (values, start) => {
      for (let index = 0; index < values.length && rows.length < ids.length; index += 1)
        if (Number(values[index]) === ids[rows.length]) rows.push(start + index);
    });
    if (rows.length < ids.length)
      throw corrupt(join(this.folder, 'samples.parquet'), `has no sample ${ids[rows.length]}`);
    return rows;
  }

  async #stretchesOf(split: Split): Promise<Stretch[]> {
    this.#stretches ??= this.#findStretches();
    return (await this.#stretches).filter(stretch => stretch.split === split);
  }

  async #findStretches(): Promise<Stretch[]> {
    const found: Stretch[] = [];
    await this.#pairs.forEachSlice('split', (values, start) => {
      for (let index = 0; index < values.length; index += 1) {
        const split = Split.parse(values[index]);
        const last = found.at(-1);
        if (last?.split === split) last.end = start + index + 1;
        else found.push({ split, start: start + index, end: start + index + 1 });
      }
    });
    return found;
  }
}

const parseAs = <T>(schema: z.ZodType<T>, text: string, file: string, line?: number): T => {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    const place = line === undefined ? '' : ` in line ${line}`;
    throw corrupt(file, `does not hold what it should${place}`, cause);
  }
};

export const manifestName = 'manifest.json';

const readManifest = async (folder: string): Promise<Manifest> => {
  const file = join(folder, manifestName);
  const text = await readFile(file, 'utf8').catch(cause => {
    throw new PosetwinError('missing_file', `${folder} holds no ${manifestName}`, { file, cause });
  });
  return parseAs(Manifest, text, file);
};

/** Opens the folder of an assembled set. Raises `missing_file`, `corrupt_file`. */
export const openSet = async (folder: string): Promise<OpenSet> => {
  const path = resolve(folder);
  const manifest = await readManifest(path);
  const [samples, pairs] = await Promise.all([
    openTable(join(path, 'samples.parquet')),
    openTable(join(path, 'pairs.parquet')),
  ]);
  return new OpenSet(path, manifest, samples, pairs);
};
