/** A set as the folder that `datasets.load_dataset("imagefolder")` and the training scripts of diffusers read. */
import { createWriteStream, existsSync, type WriteStream } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import type { Sample, StoredFile } from '../contracts/assembled.ts';
import type { Split } from '../contracts/dataset.ts';
import { manifestName, type OpenSet } from '../dataset/open-set.ts';
import { PosetwinError } from '../errors.ts';
import { nameOfSource } from '../report/dataset/origin.ts';
import { hashFile } from '../runs/index.ts';

/** Folders that `datasets` takes for its splits. */
const folders: Record<Split, string> = { train: 'train', held_out: 'test' };

const sliceLength = 4096;
const markName = '.posetwin-export';

/** Type inference reads the first lines alone: a whole number must not look like an integer column. */
const decimal = (value: number): string => (Number.isInteger(value) ? value.toFixed(1) : JSON.stringify(value));
const decimals = (keypoints: Sample['keypoints']): string =>
  `[${keypoints.map(point => `[${point.map(decimal).join(', ')}]`).join(', ')}]`;

const imageName = ({ id }: Sample): string => `images/${String(id).padStart(9, '0')}.png`;
const controlName = ({ id }: Sample): string => `conditioning/${String(id).padStart(9, '0')}.png`;

/**
 * One line of metadata.jsonl. `…_file_name` is what makes `datasets` load a second picture: a column called
 * `conditioning_image` would stay a string.
 */
export const metadataLine = (sample: Sample): string => {
  const { id, split, caption, source, pose, attributes, keypoints } = sample;
  const files = { file_name: imageName(sample), conditioning_image_file_name: controlName(sample) };
  // Attributes differ from sample to sample: as a struct they would give two splits two schemas.
  const rest = { text: caption, id, split, class: sample.class, pose, source, attributes: JSON.stringify(attributes) };
  return `${JSON.stringify({ ...files, ...rest }).slice(0, -1)},"keypoints":${decimals(keypoints)}}\n`;
};

const sizeOf = (file: string): Promise<number> =>
  stat(file).then(
    ({ size }) => size,
    () => -1,
  );

/** A picture of the right length is there from the export that was interrupted. */
const copyPicture = async (set: OpenSet, stored: StoredFile, file: string): Promise<void> => {
  if ((await sizeOf(file)) !== stored.length) await writeFile(file, await set.readStored(stored));
};

const copySample = async (set: OpenSet, folder: string, sample: Sample): Promise<void> => {
  await copyPicture(set, sample.image, join(folder, imageName(sample)));
  await copyPicture(set, sample.control, join(folder, controlName(sample)));
};

/** One split: its folder, and its lines, written as they come. */
interface Part {
  folder: string;
  metadata: WriteStream;
}

const openPart = async (folder: string): Promise<Part> => {
  for (const name of ['images', 'conditioning']) await mkdir(join(folder, name), { recursive: true });
  return { folder, metadata: createWriteStream(join(folder, 'metadata.jsonl')) };
};

/** Ends when the lines are written: a stream that is only filled would keep them all. */
const writeLines = ({ metadata }: Part, lines: string): Promise<void> =>
  new Promise((done, fail) => metadata.write(lines, error => (error ? fail(error) : done())));

const closePart = async ({ metadata }: Part): Promise<void> => {
  metadata.end();
  await finished(metadata);
};

const exportSlice = async (set: OpenSet, part: Part, samples: readonly Sample[]): Promise<void> => {
  for (const sample of samples) await copySample(set, part.folder, sample);
  if (samples.length > 0) await writeLines(part, samples.map(metadataLine).join(''));
};

const exportParts = async (set: OpenSet, root: string): Promise<void> => {
  const splits = (['train', 'held_out'] as const).filter(split => set.manifest.num_samples[split] > 0);
  const parts = await Promise.all(
    splits.map(async split => ({ split, ...(await openPart(join(root, folders[split]))) })),
  );
  for (let start = 0; start < set.num_samples; start += sliceLength) {
    const samples = await set.samples(start, start + sliceLength);
    for (const part of parts)
      await exportSlice(
        set,
        part,
        samples.filter(({ split }) => split === part.split),
      );
  }
  for (const part of parts) await closePart(part);
};

/** What a copy must not lose. */
const licencesOf = ({ manifest: { sources } }: OpenSet): string =>
  [
    'Every picture stays under the licence of its source:',
    ...sources.map(source => `${nameOfSource(source)}: ${source.licence}`),
  ]
    .map(line => `${line}\n`)
    .join('');

const refused = (folder: string, what: string): PosetwinError =>
  new PosetwinError('usage', `${folder} ${what}`, { file: folder, hint: 'another folder' });

/** The folder that an export is made in, new or left by the same export when it was interrupted. */
const beginPartial = async (set: OpenSet, partial: string): Promise<void> => {
  const mark = join(partial, markName);
  const hash = await hashFile(join(set.folder, manifestName));
  if (existsSync(partial) && (await readFile(mark, 'utf8').catch(() => '')) !== hash)
    throw refused(partial, 'is there already, and not from an export of this set');
  await mkdir(partial, { recursive: true });
  await writeFile(mark, hash);
};

/**
 * Writes `train/` and `test/` (the held-out samples) with images/, conditioning/ and metadata.jsonl, and LICENCES.txt into
 * the new folder `given`, whole or not at all: an interrupted export goes on where it was. Gives its path. Raises `usage` where
 * something is there already.
 */
export const exportImagefolder = async (set: OpenSet, given: string): Promise<string> => {
  const folder = resolve(given);
  if (existsSync(folder)) throw refused(folder, 'is there already, and nothing is overwritten');
  const partial = `${folder}.partial`;
  await mkdir(dirname(folder), { recursive: true });
  await beginPartial(set, partial);
  await exportParts(set, partial);
  await writeFile(join(partial, 'LICENCES.txt'), licencesOf(set));
  await rename(partial, folder);
  await rm(join(folder, markName));
  return folder;
};
