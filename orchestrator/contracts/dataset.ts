import { z } from 'zod';
import { Fraction, PositiveInt } from './primitives.ts';
import { Source } from './sources.ts';

export const Control = z.strictObject({
  style: z.enum(['openpose', 'dots']).default('openpose').describe('Limbs in OpenPose colours, or one dot a keypoint.'),
  line_width: Fraction.default(0.045).describe('`openpose`: width of a limb as a fraction of the image side.'),
  radius: z.int().min(0).max(64).default(0).describe('`dots`: radius in px; 0 is one pixel.'),
});

/** How a picture of any size becomes a square of `image_size`. */
export const Resize = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('person').describe('A square around the person, scaled to the image size.') }),
  z.strictObject({
    kind: z
      .literal('factor')
      .describe('Step 1 of the method: the picture downsampled by a factor, then cut or padded around the person.'),
    factor: z.number().min(1).max(64).default(4),
    rounding: z.enum(['floor', 'round']).default('floor').describe('How h / factor and w / factor are made whole.'),
    filter: z
      .enum(['bilinear', 'nearest', 'area', 'bicubic', 'lanczos'])
      .default('bilinear')
      .describe('As OpenCV: INTER_LINEAR, INTER_NEAREST, INTER_AREA, INTER_CUBIC, INTER_LANCZOS4.'),
  }),
]);
export type Resize = z.output<typeof Resize>;

/** Which pictures of people are left out. Drawn figures are exact and pass them all. */
export const Filters = z.strictObject({
  people: z
    .enum(['any', 'one'])
    .default('any')
    .describe('`any`: of several people the largest is taken; `one`: pictures of several are left out.'),
  min_keypoints: z.int().min(1).max(18).default(1).describe('Fewer visible keypoints: left out.'),
  min_person: Fraction.default(0).describe('A person smaller than this fraction of the image side is left out.'),
  max_hash_distance: z
    .int()
    .min(-1)
    .max(16)
    .default(3)
    .describe('Pictures whose 64-bit perceptual hashes differ in at most so many bits are one; -1 keeps all.'),
  num_verified: z
    .int()
    .min(0)
    .max(10_000)
    .default(32)
    .describe(
      'So many annotated pictures of a source are compared with the detector: left and right, colour channels.',
    ),
});
export type Filters = z.output<typeof Filters>;

/** A model that describes pictures which bring no caption (ViT-GPT2 in the paper). */
export const Captioner = z.strictObject({
  path: z.string().min(1).describe('Folder of a vision-encoder-decoder or BLIP model of transformers.'),
  max_length: PositiveInt.max(512).default(30),
  num_beams: PositiveInt.max(64).default(5),
  num_images: PositiveInt.max(100_000_000)
    .default(1500)
    .describe('So many of the images without a caption are described, drawn by the seed; the others keep `caption`.'),
});
export type Captioner = z.output<typeof Captioner>;

/** Step 1 and 2 of the method: what is sampled, paired and drawn. */
export const Dataset = z.strictObject({
  sources: z
    .array(Source)
    .min(1)
    .prefault([{ kind: 'mini' }]),
  image_size: z.int().min(64).max(1024).multipleOf(8).default(64).describe('Side of the square training images, px.'),
  resize: Resize.prefault({ kind: 'person' }).describe('Of pictures on disk; figures are drawn at the image size.'),
  filters: Filters.prefault({}),
  captioner: Captioner.nullable().default(null),
  num_images: PositiveInt.max(100_000_000)
    .default(3000)
    .describe('Training images to draw by the seed (3,000 in the paper).'),
  num_held_out: PositiveInt.max(100_000)
    .default(96)
    .describe('Images kept for the evaluation; of the mini world: poses never trained on.'),
  num_pairs: PositiveInt.max(10_000_000)
    .default(1500)
    .describe('But for `all-combinations`: so many couples are drawn; each gives its quintuples closed under swap.'),
  pairs: z
    .enum(['random', 'all-combinations', 'far', 'other-class'])
    .default('random')
    .describe(
      '`all-combinations`: every ordered pair that shows a common keypoint; `far`: only pairs at least `min_distance` apart; `other-class`: only pairs of different classes.',
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
    'Pictures that cannot be used are left out with a reason, up to this share of all; more end the run.',
  ),
  control: Control.prefault({}),
});
export type Dataset = z.output<typeof Dataset>;

export const Split = z.enum(['train', 'held_out']);
export type Split = z.output<typeof Split>;
