/** Small pictures of what was left out, where the file is still there and cheap to open. */
import { open } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { Manifest } from '../../contracts/assembled.ts';
import { scalePicture } from '../raster.ts';

interface Size {
  width: number;
  height: number;
}

const largestFile = 12_000_000;
const mostPixels = 24_000_000;
const side = 150;
/** where a JPEG has its size, behind a preview and a colour profile */
const headLength = 256 * 1024;

const pngSize = (bytes: Buffer): Size | undefined => {
  if (bytes.length < 24 || bytes.toString('latin1', 1, 4) !== 'PNG') return undefined;
  return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
};

/** Markers that start a frame carry the size; those between C0 and CF that do not are tables. */
const isFrame = (marker: number): boolean => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

const jpegSize = (bytes: Buffer): Size | undefined => {
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xffd8) return undefined;
  let at = 2;
  while (at + 9 <= bytes.length && bytes[at] === 0xff) {
    if (isFrame(bytes.readUInt8(at + 1)))
      return { height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) };
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  return undefined;
};

/** A file may say it is a billion pixels: its size is read before it is decoded. */
const isCheap = ({ width, height }: Size): boolean => width > 0 && height > 0 && width * height <= mostPixels;

const readCheap = async (path: string): Promise<{ bytes: Buffer; type: string; size: Size } | undefined> => {
  const handle = await open(path).catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    const facts = await handle.stat();
    if (!facts.isFile() || facts.size > largestFile) return undefined;
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(headLength), 0, headLength, 0);
    const head = buffer.subarray(0, bytesRead);
    const size = pngSize(head) ?? jpegSize(head);
    if (size === undefined || !isCheap(size)) return undefined;
    return { bytes: await handle.readFile(), type: pngSize(head) ? 'image/png' : 'image/jpeg', size };
  } catch {
    return undefined;
  } finally {
    await handle.close();
  }
};

const drawSmall = (bytes: Buffer, type: string, { width, height }: Size): string | undefined => {
  const factor = Math.min(side / Math.max(width, height), 1);
  const scaled = (length: number) => Math.max(Math.round(length * factor), 1);
  const small = scalePicture(`data:${type};base64,${bytes.toString('base64')}`, scaled(width), scaled(height));
  return small && `data:image/png;base64,${small.toString('base64')}`;
};

const placesOf = (source: string, sources: Manifest['sources']): string[] =>
  isAbsolute(source) ? [source] : sources.flatMap(({ path }) => (path === null ? [] : [join(path, source)]));

/** A data URI of at most 150 px; undefined where the file is gone, damaged, large, inside an archive, no PNG or JPEG. */
export const thumbnailOf = async (source: string, sources: Manifest['sources']): Promise<string | undefined> => {
  for (const path of placesOf(source, sources)) {
    const found = await readCheap(path);
    if (found === undefined) continue;
    try {
      return drawSmall(found.bytes, found.type, found.size);
    } catch {
      return undefined;
    }
  }
  return undefined;
};
