import type { Dataset, Split } from '../contracts/dataset.ts';
import { checkRising, readEqual, readNumbers } from './columns.ts';
import { openTable, type Table } from './parquet.ts';

/** The columns of samples.parquet that pairing needs, one place a row. */
export interface Samples {
  table: Table;
  num_rows: number;
  ids: Int32Array;
  is_train: Uint8Array;
  /** bit k: keypoint k is seen */
  visible: Int32Array;
  caption_hash: Float64Array;
  /** only for `pairs: other-class` */
  class_hash: Float64Array | undefined;
  /** (n, 18, 2) px, only for `pairs: far` */
  points: Float32Array | undefined;
}

export const numPoints = 18;

/** x and y of 18 keypoints of three numbers each, from place `at` on. */
export const copyPoints = (keypoints: ArrayLike<unknown>, into: Float32Array | Float64Array, at: number): void => {
  for (let k = 0; k < numPoints; k += 1) {
    into[at + 2 * k] = Number(keypoints[3 * k]);
    into[at + 2 * k + 1] = Number(keypoints[3 * k + 1]);
  }
};

const isList = (value: unknown): value is ArrayLike<unknown> => typeof value === 'object' && value !== null;

const readPoints = async (table: Table): Promise<Float32Array> => {
  const points = new Float32Array(table.num_rows * 2 * numPoints);
  await table.forEachSlice('keypoints', (values, start) => {
    for (let i = 0; i < values.length; i += 1) {
      const value = values[i];
      if (isList(value)) copyPoints(value, points, (start + i) * 2 * numPoints);
    }
  });
  return points;
};

/** x, y of the keypoints at some rows, in rising order: (rows, 18, 2) px. */
export const readPointsAt = async (table: Table, rows: Int32Array): Promise<Float64Array> => {
  const points = new Float64Array(rows.length * 2 * numPoints);
  let place = 0;
  await table.forEachAt('keypoints', rows, value => {
    if (isList(value)) copyPoints(value, points, place * 2 * numPoints);
    place += 1;
  });
  return points;
};

/**
 * Reads what the pairing of `dataset` needs: 21 bytes a sample, 8 more for `other-class`, 144 more for `far`.
 * Raises `missing_file`, `corrupt_file`.
 */
export const readSamples = async (file: string, { pairs }: Pick<Dataset, 'pairs'>): Promise<Samples> => {
  const table = await openTable(file);
  const { num_rows } = table;
  const ids = await readNumbers(table, 'id', new Int32Array(num_rows));
  checkRising(ids, file);
  return {
    table,
    num_rows,
    ids,
    is_train: await readEqual(table, 'split', 'train'),
    visible: await readNumbers(table, 'visible', new Int32Array(num_rows)),
    caption_hash: await readNumbers(table, 'caption_hash', new Float64Array(num_rows)),
    class_hash:
      pairs === 'other-class' ? await readNumbers(table, 'class_hash', new Float64Array(num_rows)) : undefined,
    points: pairs === 'far' ? await readPoints(table) : undefined,
  };
};

/** The rows of one split, in the order in which they stand. */
export const rowsOf = ({ is_train, num_rows }: Samples, split: Split): Int32Array => {
  const wanted = Number(split === 'train');
  const rows = new Int32Array(is_train.reduce((sum, is) => sum + Number(is === wanted), 0));
  for (let row = 0, place = 0; row < num_rows; row += 1) if (is_train[row] === wanted) rows[place++] = row;
  return rows;
};
