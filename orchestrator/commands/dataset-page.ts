import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { PosetwinError } from '../errors.ts';
import { generator, renderDatasetPage } from '../report/dataset/write-dataset-page.ts';
import { writeText } from '../runs/index.ts';
import type { FoundSet } from './dataset-find.ts';

/** The mark stands at the beginning of a page. */
const headLength = 2000;

const isOwnPage = async (file: string): Promise<boolean> => {
  const handle = await open(file);
  try {
    if (!(await handle.stat()).isFile()) return false;
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(headLength), 0);
    return buffer.toString('utf8', 0, bytesRead).includes(`<meta name="generator" content="${generator}">`);
  } finally {
    await handle.close();
  }
};

const refuseForeign = async (file: string): Promise<void> => {
  if (existsSync(file) && !(await isOwnPage(file)))
    throw new PosetwinError('usage', `${file} is there already, and is no page of this command`, {
      file,
      hint: 'another file, or --force',
    });
};

/** Writes the page of a set, whole or not at all, and gives its path. Raises `usage` over a file made otherwise. */
export const writeDatasetPage = async (
  { set, name }: FoundSet,
  given: string,
  { pairs, force }: { pairs: number; force: boolean },
): Promise<string> => {
  const file = resolve(given);
  if (!force) await refuseForeign(file);
  await writeText(file, await renderDatasetPage(set, name, pairs));
  return file;
};
