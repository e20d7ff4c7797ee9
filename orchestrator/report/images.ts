import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { PosetwinError } from '../errors.ts';
import { svgToPng } from './raster.ts';

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

/** A square picture of `side` px as data URI of at most `limit` px, so that a report of full-size models stays small. */
export const thumbnailUri = (path: string, side: number, limit = 160): string => {
  const full = dataUri(path);
  if (side <= limit) return full;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${limit}" height="${limit}"><image href="${full}" width="${limit}" height="${limit}"/></svg>`;
  return uri('image/png', svgToPng(svg));
};
