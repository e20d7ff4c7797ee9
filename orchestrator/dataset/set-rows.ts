/** The rows of the tables of an assembled set. */
import { z } from 'zod';
import { Sample } from '../contracts/assembled.ts';
import { Split } from '../contracts/dataset.ts';
import { PosetwinError } from '../errors.ts';

// int64 columns come as BigInt.
const whole = z.union([z.bigint(), z.number()]).transform(Number);

const Row = z.object({
  id: whole,
  split: Split,
  source: z.string(),
  class: z.string(),
  caption: z.string(),
  pose: z.string(),
  attributes: z.string(),
  keypoints: z.array(z.number()).length(54),
  shard: z.string(),
  image_offset: whole,
  image_length: whole,
  control_offset: whole,
  control_length: whole,
});
/** Of samples.parquet, what a sample is made from. */
export const sampleColumns = Object.keys(Row.shape);
/** A row of pairs.parquet. */
export const Couple = z.object({ a: whole, b: whole });

export const corrupt = (file: string, message: string, cause?: unknown): PosetwinError =>
  new PosetwinError('corrupt_file', `${file} ${message}`, { file, cause });

/** 54 numbers as 18 times x, y, visibility. */
const inThrees = (values: readonly number[]): number[][] =>
  Array.from({ length: values.length / 3 }, (_, index) => values.slice(3 * index, 3 * index + 3));

/** A row of samples.parquet as a sample. Throws where it is none. */
export const toSample = (given: unknown): Sample => {
  const { shard, image_offset, image_length, control_offset, control_length, ...row } = Row.parse(given);
  return Sample.parse({
    ...row,
    keypoints: inThrees(row.keypoints),
    attributes: JSON.parse(row.attributes),
    image: { shard, offset: image_offset, length: image_length },
    control: { shard, offset: control_offset, length: control_length },
  });
};
