import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { PosetwinError } from '../errors.ts';
import { scalePicture } from './raster.ts';

const types: Record<string, string> = { '.png': 'image/png', '.jpg': 'image/jpeg', '.jpeg': 'image/jpeg' };

const uri = (type: string, bytes: Buffer): string => `data:${type};base64,${bytes.toString('base64')}`;

/** A picture as data URI. Throws `bad_image` when it cannot be read or is neither PNG nor JPEG. */
export const dataUri = (path: string): string => {
  const type = types[extname(path).toLowerCase()];
  if (type === undefined) throw new PosetwinError('bad_image', 'not a PNG or JPEG picture', { file: path });
  try {
    return uri(type, readFileSync(path));
  } catch (cause) {
    throw new PosetwinError('bad_image', 'the picture cannot be read', { file: path, cause });
  }
};

const shrink = (full: string, limit: number): string => {
  const small = scalePicture(full, limit, limit);
  if (small === undefined) throw new PosetwinError('bad_image', 'the picture cannot be drawn');
  return uri('image/png', small);
};

/**
 * A square PNG of `side` px as data URI of at most `limit` px, so that a page of full-size pictures stays small. Throws
 * `bad_image` when it cannot be drawn.
 */
export const pngUri = (png: Buffer, side: number, limit = 160): string => {
  const full = uri('image/png', png);
  return side <= limit ? full : shrink(full, limit);
};

/** The same of a PNG or JPEG on disk. Throws `bad_image` when it cannot be read. */
export const thumbnailUri = (path: string, side: number, limit = 160): string => {
  const full = dataUri(path);
  return side <= limit ? full : shrink(full, limit);
};
