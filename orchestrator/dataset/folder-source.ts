import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Source, Split } from '../contracts/dataset.ts';
import { PosetwinError } from '../errors.ts';
import type { Unnumbered } from './mini-source.ts';
import type { SeededHash } from './random.ts';
import { splitByRank } from './split.ts';

export type FolderSource = Extract<Source, { kind: 'folder' }>;
export interface Photo {
  path: string;
  caption: string;
}

const photoEnding = /\.(jpe?g|png|webp|bmp)$/i;
/** Photos and their captions are what a folder's fingerprint is made of; anything else may change freely. */
export const isPhotoOrCaption = (file: string): boolean =>
  photoEnding.test(file) || file.toLowerCase().endsWith('.txt');

/** The photos below the folder in the order of their paths, each with its caption. Raises `too_few_samples`. */
export const listPhotos = async ({ path, caption }: FolderSource): Promise<Photo[]> => {
  const names = await readdir(path, { recursive: true });
  const photos = names.filter(name => photoEnding.test(name)).sort();
  if (photos.length === 0) {
    throw new PosetwinError('too_few_samples', `${path} holds no photo`, {
      file: path,
      hint: 'jpg, png, webp or bmp.',
    });
  }
  return Promise.all(
    photos.map(async name => ({
      path: join(path, name),
      caption: await captionOf(join(path, name), caption),
    })),
  );
};

const captionOf = async (photo: string, fallback: string): Promise<string> => {
  const text = await readFile(photo.replace(photoEnding, '.txt'), 'utf8').catch(() => '');
  return text.trim().split('\n')[0]?.trim() || fallback;
};

/** The photos by split. They are told apart by their paths below the folder, so that moving it changes nothing. */
export const splitPhotos = (photos: readonly Photo[], folder: string, random: SeededHash): Record<Split, Photo[]> =>
  splitByRank(photos, photo => photo.path.slice(folder.length), random);

/** At most `count` photos of one split, in the order of the seeded hash. */
export const drawPhotos = (source: FolderSource, split: Split, count: number, photos: readonly Photo[]): Unnumbered[] =>
  photos.slice(0, count).map(photo => ({ kind: 'folder', split, ...photo, detector: source.detector }));
