/** Columns of a Parquet table as typed arrays: a number a row, and nothing else in memory. */
import { PosetwinError } from '../errors.ts';
import type { Table } from './parquet.ts';

type Numbers = Uint8Array | Int32Array | Uint32Array | Float32Array | Float64Array;

/** int64 below 2^53, of whose halves none becomes a BigInt: that would take four times as long. */
const copyWide = (values: BigInt64Array, start: number, into: Numbers): void => {
  const halves = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
  for (let i = 0; i < values.length; i += 1) {
    into[start + i] = (halves[2 * i + 1] as number) * 2 ** 32 + ((halves[2 * i] as number) >>> 0);
  }
};

const copy = (values: ArrayLike<unknown>, start: number, into: Numbers): void => {
  if (values instanceof BigInt64Array) copyWide(values, start, into);
  else for (let i = 0; i < values.length; i += 1) into[start + i] = Number(values[i]);
};

/** A column of numbers or booleans, copied into `into`, one place a row. Raises `corrupt_file`. */
export const readNumbers = async <T extends Numbers>(table: Table, column: string, into: T): Promise<T> => {
  await table.forEachSlice(column, (values, start) => copy(values, start, into));
  return into;
};

/** 1 where the column of texts is `text`, else 0. */
export const readEqual = async (table: Table, column: string, text: string): Promise<Uint8Array> => {
  const equal = new Uint8Array(table.num_rows);
  await table.forEachSlice(column, (values, start) => {
    for (let i = 0; i < values.length; i += 1) if (values[i] === text) equal[start + i] = 1;
  });
  return equal;
};

/** Calls back with every text of a column; what it throws is lost. */
export const readTexts = async (
  table: Table,
  column: string,
  use: (text: string, row: number) => void,
): Promise<void> => {
  await table.forEachSlice(column, (values, start) => {
    for (let i = 0; i < values.length; i += 1) use(String(values[i]), start + i);
  });
};

/** Raises `corrupt_file` where the ids do not rise: pairs are looked up by them. */
export const checkRising = (ids: Int32Array, file: string): void => {
  for (let i = 1; i < ids.length; i += 1) {
    if ((ids[i] as number) > (ids[i - 1] as number)) continue;
    throw new PosetwinError('corrupt_file', `${file}: the ids are not in rising order at row ${i}`, { file });
  }
};
