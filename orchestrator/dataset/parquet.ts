/** Parquet files, read by columns and in slices, so that a table of ten million rows needs little memory. */
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetRead, parquetReadObjects } from 'hyparquet';
import { PosetwinError } from '../errors.ts';
import { openSlices } from './file-slices.ts';

export interface Table {
  num_rows: number;
  /** Calls back with the values of one column, slice by slice in order; `start` is the row of the first. It may not throw. */
  forEachSlice(column: string, use: (values: ArrayLike<unknown>, start: number) => void): Promise<void>;
  /** Calls back with the values of one column at some rows, given in rising order: few are read without the rest. */
  forEachAt(column: string, rows: ArrayLike<number>, use: (value: unknown, row: number) => void): Promise<void>;
  /** Rows `start` to before `end`, as objects of the named columns, of all when left out. */
  rows(start: number, end: number, columns?: string[]): Promise<Record<string, unknown>[]>;
}

interface Range {
  start: number;
  end: number;
}

const rangesOf = ({ row_groups }: FileMetaData): Range[] => {
  let end = 0;
  return row_groups.map(({ num_rows }) => {
    const start = end;
    end += Number(num_rows);
    return { start, end };
  });
};

/** Of so few rows of a group each is read alone, which an index of pages makes cheap. */
const fewOf = 1000;

/** What to read to have these rows (in rising order): ranges, each in one group. */
const rangesFor = (metadata: FileMetaData, column: string, rows: ArrayLike<number>): Range[] => {
  const ranges: Range[] = [];
  let first = 0;
  for (const [group, { start, end }] of rangesOf(metadata).entries()) {
    let last = first;
    while (last < rows.length && (rows[last] as number) < end) last += 1;
    const own = Array.from({ length: last - first }, (_, i) => rows[first + i] as number);
    first = last;
    const chunk = metadata.row_groups[group]?.columns.find(({ meta_data }) => meta_data?.path_in_schema[0] === column);
    const alone = chunk?.offset_index_offset !== undefined && own.length * fewOf <= end - start;
    if (alone) ranges.push(...own.map(row => ({ start: row, end: row + 1 })));
    else if (own.length > 0) ranges.push({ start: own[0] ?? 0, end: (own.at(-1) ?? 0) + 1 });
  }
  return ranges;
};

const damaged = (file: string, cause: unknown): PosetwinError =>
  new PosetwinError('corrupt_file', `${file} cannot be read as Parquet`, { file, cause });

const openFile = (path: string): AsyncBuffer => {
  try {
    return openSlices(path);
  } catch (cause) {
    throw new PosetwinError('missing_file', `${path} does not exist`, { file: path, cause });
  }
};

/** Opens a table. Raises `missing_file`, `corrupt_file`. */
export const openTable = async (path: string): Promise<Table> => {
  const file = openFile(path);
  const metadata: FileMetaData = await parquetMetadataAsync(file).catch(cause => {
    throw damaged(path, cause);
  });
  const guarded = <T>(reading: Promise<T>): Promise<T> =>
    reading.catch(cause => {
      throw damaged(path, cause);
    });
  const readRows = (rowStart: number, rowEnd: number, columns?: string[]): Promise<Record<string, unknown>[]> =>
    guarded(
      parquetReadObjects({ file, metadata, rowStart, rowEnd, useOffsetIndex: true, ...(columns && { columns }) }),
    );
  return {
    num_rows: Number(metadata.num_rows),
    async forEachSlice(column, use) {
      for (const { start: rowStart, end: rowEnd } of rangesOf(metadata)) {
        const onChunk = ({ columnData, rowStart: at }: { columnData: ArrayLike<unknown>; rowStart: number }) =>
          use(columnData, at);
        await guarded(parquetRead({ file, metadata, columns: [column], rowStart, rowEnd, onChunk }));
      }
    },
    async forEachAt(column, rows, use) {
      let next = 0;
      for (const { start, end } of rangesFor(metadata, column, rows)) {
        const values = await readRows(start, end, [column]);
        for (; next < rows.length && (rows[next] as number) < end; next += 1) {
          use(values[(rows[next] as number) - start]?.[column], rows[next] as number);
        }
      }
    },
    rows: readRows,
  };
};
