import { z } from 'zod';
import { Dataset, Split } from './dataset.ts';
import { Keypoints, Seed } from './primitives.ts';
import { PoseLayout } from './sources.ts';

/** One picture to make or read: TypeScript decides, Python computes (items.jsonl). */
export const Item = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('mini'), id: z.int(), split: Split, seed: Seed, pose: z.string() }),
  z.strictObject({
    kind: z.literal('poses'),
    id: z.int(),
    split: Split,
    path: z.string(),
    layout: PoseLayout,
    row: z.int().min(0).describe('Pose of the table, counted from 0.'),
    seed: Seed,
  }),
  z.strictObject({
    kind: z.literal('picture'),
    id: z.int(),
    split: Split,
    source: z.int().min(0).describe('Position in dataset.sources.'),
    row: z.int().min(0).describe('Row of the list of that source.'),
    describe: z.boolean().describe('The captioner describes it where it brings no caption.'),
  }),
]);
export type Item = z.output<typeof Item>;

/** Where the bytes of a PNG lie in a shard: any reader may seek there. */
export const StoredFile = z.strictObject({
  shard: z.string().describe('Uncompressed tar, relative to the folder of the set.'),
  offset: z.int().min(0).describe('Of the first byte of the file.'),
  length: z.int().min(1),
});
export type StoredFile = z.output<typeof StoredFile>;

/** One assembled picture (a row of samples.parquet). */
export const Sample = z.strictObject({
  id: z.int(),
  split: Split,
  source: z.string().describe('`mini`, the picture, or the table and its row.'),
  class: z.string().describe('Class or activity; of drawn figures the name of the pose; empty where there is none.'),
  caption: z.string(),
  pose: z.string().describe('Name of the pose; empty where it has none.'),
  keypoints: Keypoints,
  attributes: z.record(z.string(), z.string()),
  image: StoredFile,
  control: StoredFile,
});
export type Sample = z.output<typeof Sample>;

/** A picture left out, and why (rejected.jsonl). */
export const Rejected = z.strictObject({
  id: z.int().nullable().describe('Null where it was left out before anything was chosen.'),
  source: z.string(),
  code: z.string(),
  reason: z.string(),
});
export type Rejected = z.output<typeof Rejected>;

/** One quintuple (A, B, y, Z_A, Z_B), by sample ids. */
export const Pair = z.strictObject({ a: z.int(), b: z.int(), prompt: z.string(), split: Split });
export type Pair = z.output<typeof Pair>;

const Counts = z.record(Split, z.int());
const Shard = z.strictObject({ name: z.string(), num_samples: z.int(), bytes: z.int(), sha256: z.string() });

/** result.json of `assemble`: what Python made; TypeScript pairs it and writes the manifest. */
export const AssembleResult = z.strictObject({
  num_rejected: z.record(z.string(), z.int()).describe('By code.'),
  shards: z.array(Shard),
  warnings: z.array(z.string()).describe('What looks wrong with a source as a whole.'),
});
export type AssembleResult = z.output<typeof AssembleResult>;

/** manifest.json: the header of an assembled set, beside samples.parquet, pairs.parquet, rejected.jsonl and shards/. */
export const Manifest = z.strictObject({
  schema_version: z.literal(2),
  seed: Seed,
  image_size: z.int(),
  num_samples: Counts,
  num_rejected: AssembleResult.shape.num_rejected,
  num_pairs: Counts.describe('Quintuples, exactly, listed or not.'),
  train_pairs: z
    .enum(['listed', 'all-combinations'])
    .describe(
      '`listed`: couples in pairs.parquet; `all-combinations`: of every two paired training samples that show a common keypoint, made where they are needed.',
    ),
  captions: Dataset.shape.captions.unwrap(),
  captioned: z
    .array(z.int())
    .nullable()
    .describe('Ids of the training samples that `captioned-only` drew, alone to be paired; null: all are paired.'),
  closed_under_swap: z.literal(true),
  poses: z.record(Split, z.array(z.string())),
  mean_pose_distance: z
    .number()
    .describe(
      'Mean over the training quintuples of the root mean square distance of the keypoints both show, fraction of the side; over at most 4,000 samples or couples drawn by the seed.',
    ),
  sources: z
    .array(
      z.strictObject({
        kind: z.string(),
        path: z.string().nullable(),
        hash: z.string().describe('Of all that the source held when it was read.'),
        licence: z.string(),
      }),
    )
    .describe('Where the pictures come from; the pictures stay under the licence of their source.'),
  shards: AssembleResult.shape.shards,
  warnings: AssembleResult.shape.warnings,
});
export type Manifest = z.output<typeof Manifest>;
