import { z } from 'zod';
import { Fraction, Keypoints, PositiveInt, Seed } from './primitives.ts';

const weight = z.number().gt(0).default(1).describe('Share of the images, relative to the other sources.');

const MiniSource = z.strictObject({
  kind: z.literal('mini').describe('Figures drawn by the mini world, with exact keypoints and captions.'),
  weight,
  poses: z
    .array(z.string())
    .min(1)
    .nullable()
    .default(null)
    .describe('Names of training poses to draw; all of them when left out.'),
});

const FolderSource = z.strictObject({
  kind: z
    .literal('folder')
    .describe('A folder of photos; BlazePose finds the keypoints, photos without a person are skipped.'),
  weight,
  path: z.string().min(1).describe('The folder, relative to the YAML file.'),
  caption: z
    .string()
    .default('a person')
    .describe('Caption of every photo that has no .txt file of the same name beside it.'),
  detector: z.enum(['lite', 'full', 'heavy']).default('full').describe('Which BlazePose finds the keypoints.'),
});

export const PoseLayout = z
  .enum(['auto', 'mediapipe-33', 'coco-17', 'openpose-18'])
  .describe('Which landmarks a row has, and in which order; `auto`: as their number says, 33, 17 or 18.');

const PosesSource = z.strictObject({
  kind: z.literal('poses').describe('Figures drawn by the mini world in the poses of a table of landmarks.'),
  weight,
  path: z.string().min(1).describe('The table, .npz or .csv, relative to the YAML file.'),
  layout: PoseLayout.default('auto'),
});

export const Source = z.discriminatedUnion('kind', [MiniSource, FolderSource, PosesSource]);
export type Source = z.output<typeof Source>;

export const Control = z.strictObject({
  style: z.enum(['openpose', 'dots']).default('openpose').describe('Limbs in OpenPose colours, or one dot a keypoint.'),
  line_width: Fraction.default(0.045).describe('`openpose`: width of a limb as a fraction of the image side.'),
  radius: z.int().min(0).max(64).default(0).describe('`dots`: radius in px; 0 is one pixel.'),
});

/** Step 1 and 2 of the method: what is sampled, paired and drawn. */
export const Dataset = z.strictObject({
  sources: z
    .array(Source)
    .min(1)
    .prefault([{ kind: 'mini' }]),
  image_size: z.int().min(64).max(1024).multipleOf(8).default(64).describe('Side of the square training images, px.'),
  num_images: PositiveInt.max(1_000_000)
    .default(3000)
    .describe('Training images to draw by the seed (3,000 in the paper).'),
  num_held_out: PositiveInt.max(100_000)
    .default(96)
    .describe('Images kept for the evaluation; of the mini world: poses never trained on.'),
  num_pairs: PositiveInt.max(10_000_000)
    .default(1500)
    .describe('`pairs: random` and `far`: so many couples are drawn; each gives its quintuples closed under swap.'),
  pairs: z
    .enum(['random', 'all-combinations', 'far'])
    .default('random')
    .describe(
      '`all-combinations`: every ordered pair that shows a common keypoint; `far`: only pairs at least `min_distance` apart.',
    ),
  min_distance: Fraction.default(0.1).describe(
    '`pairs: far`: root mean square keypoint distance, as a fraction of the image side.',
  ),
  captions: z
    .enum(['both', 'swap', 'captioned-only'])
    .default('both')
    .describe(
      '`both`: y_A and y_B for each order; `swap`: y_A in one, y_B in the other; `captioned-only`: as `both`, of `num_captioned` images alone.',
    ),
  num_captioned: z
    .int()
    .min(2)
    .max(1_000_000)
    .default(1500)
    .describe('`captions: captioned-only`: so many training images are drawn by the seed, and only they are paired.'),
  max_rejected: Fraction.default(0.5).describe(
    'Pictures that cannot be read or drawn, or show no person, are left out, up to this share of all; more end the run.',
  ),
  control: Control.prefault({}),
});
export type Dataset = z.output<typeof Dataset>;

export const Split = z.enum(['train', 'held_out']);
export type Split = z.output<typeof Split>;

/** One picture to make or read: TypeScript decides, Python computes (items.jsonl). */
export const Item = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('mini'), id: z.int(), split: Split, seed: Seed, pose: z.string() }),
  z.strictObject({
    kind: z.literal('folder'),
    id: z.int(),
    split: Split,
    path: z.string(),
    caption: z.string(),
    detector: z.enum(['lite', 'full', 'heavy']),
  }),
  z.strictObject({
    kind: z.literal('poses'),
    id: z.int(),
    split: Split,
    path: z.string(),
    layout: PoseLayout,
    row: z.int().min(0).describe('Pose of the table, counted from 0.'),
    seed: Seed,
  }),
]);
export type Item = z.output<typeof Item>;

/** One assembled picture (samples.jsonl). */
export const Sample = z.strictObject({
  id: z.int(),
  split: Split,
  source: z.string().describe('`mini`, the photo, or the table and its row.'),
  image: z.string().describe('PNG, relative to the stage folder.'),
  control: z.string().describe('Control map, PNG, relative to the stage folder.'),
  caption: z.string(),
  pose: z.string().describe('Name of the pose; empty where it has none.'),
  keypoints: Keypoints,
  attributes: z.record(z.string(), z.string()),
});
export type Sample = z.output<typeof Sample>;

/** A picture left out, and why (rejected.jsonl). */
export const Rejected = z.strictObject({ id: z.int(), source: z.string(), code: z.string(), reason: z.string() });
export type Rejected = z.output<typeof Rejected>;

/** One quintuple (A, B, y, Z_A, Z_B), by sample ids (pairs.jsonl; training ones only where they are `listed`). */
export const Pair = z.strictObject({ a: z.int(), b: z.int(), prompt: z.string(), split: Split });
export type Pair = z.output<typeof Pair>;

export const Manifest = z.strictObject({
  schema_version: z.literal(1),
  seed: Seed,
  image_size: z.int(),
  num_samples: z.record(Split, z.int()),
  num_rejected: z.int(),
  num_pairs: z.record(Split, z.int()).describe('Quintuples, exactly, listed or not.'),
  train_pairs: z
    .enum(['listed', 'all-combinations'])
    .describe(
      '`listed`: in pairs.jsonl; `all-combinations`: of every two paired training samples that show a common keypoint, made where they are needed.',
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
      'Mean over the training quintuples of the root mean square distance of the keypoints both show, fraction of the side; under `all-combinations` of more than 4,000 samples over the combinations of 4,000 drawn by the seed.',
    ),
});
export type Manifest = z.output<typeof Manifest>;
