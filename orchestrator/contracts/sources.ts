import { z } from 'zod';

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

export const PoseLayout = z
  .enum(['auto', 'mediapipe-33', 'coco-17', 'openpose-18'])
  .describe('Which landmarks a row has, and in which order; `auto`: as their number says, 33, 17 or 18.');

const PosesSource = z.strictObject({
  kind: z.literal('poses').describe('Figures drawn by the mini world in the poses of a table of landmarks.'),
  weight,
  path: z.string().min(1).describe('The table, .npz or .csv, relative to the YAML file.'),
  layout: PoseLayout.default('auto'),
});

export const PhotoDetector = z
  .enum(['lite', 'full', 'heavy', 'mini'])
  .describe('Which BlazePose finds the keypoints, or the shipped net for drawn figures.');

/** What all sources of pictures that lie on disk have in common. */
const pictures = (what: string, caption = 'a person') => ({
  weight,
  path: z.string().min(1).describe(`${what}, relative to the YAML file.`),
  caption: z
    .string()
    .default(caption)
    .describe('Caption of a picture that brings none; `{class}` stands for its class or activity.'),
  detector: PhotoDetector.default('full'),
});

const keypoints = z
  .enum(['annotations', 'detector'])
  .default('annotations')
  .describe('Where the keypoints come from; a picture without annotations always goes to the detector.');

const FolderSource = z.strictObject({
  kind: z
    .literal('folder')
    .describe('A folder of photos, captions in .txt files of the same name; BlazePose finds the keypoints.'),
  ...pictures('The folder'),
});

const ClassesSource = z.strictObject({
  kind: z
    .literal('classes')
    .describe('A folder for each class, as Cricket Shots and Yoga Posture come; the class is a hint for the caption.'),
  ...pictures('The folder of folders', 'a person, {class}'),
});

const ImagefolderSource = z.strictObject({
  kind: z
    .literal('imagefolder')
    .describe('A folder with metadata.jsonl: file_name, text and, if you have them, keypoints.'),
  ...pictures('The folder'),
  keypoints,
});

const MpiiSource = z.strictObject({
  kind: z.literal('mpii').describe('MPII Human Pose: the .mat as published, or the JSON conversions.'),
  ...pictures('The folder that holds images/ and the annotations', 'a person, {class}'),
  annotations: z
    .string()
    .nullable()
    .default(null)
    .describe('The .mat or .json, relative to `path`; found there when left out.'),
  keypoints,
});

const CocoSource = z.strictObject({
  kind: z.literal('coco').describe('COCO: person keypoints, and captions where they are given.'),
  ...pictures('The folder of images'),
  annotations: z.string().min(1).describe('person_keypoints_….json, relative to the YAML file.'),
  captions: z.string().nullable().default(null).describe('captions_….json, relative to the YAML file.'),
  keypoints,
});

const DatasetsSource = z.strictObject({
  kind: z.literal('datasets').describe('A folder that Hugging Face `datasets` wrote with save_to_disk.'),
  ...pictures('The folder'),
  image_column: z.string().default('image'),
  caption_column: z.string().nullable().default('text'),
});

const WebdatasetSource = z.strictObject({
  kind: z
    .literal('webdataset')
    .describe('Uncompressed tar shards: a picture with .txt and .json (keypoints) of the same key.'),
  ...pictures('A .tar, or a folder of them'),
  keypoints,
});

export const Source = z.discriminatedUnion('kind', [
  MiniSource,
  PosesSource,
  FolderSource,
  ClassesSource,
  ImagefolderSource,
  MpiiSource,
  CocoSource,
  DatasetsSource,
  WebdatasetSource,
]);
export type Source = z.output<typeof Source>;
export type PictureSource = Exclude<Source, { kind: 'mini' | 'poses' }>;

/** Sources whose pictures lie on disk: they are listed before anything is chosen from them. */
export const isPictureSource = (source: Source): source is PictureSource =>
  source.kind !== 'mini' && source.kind !== 'poses';
