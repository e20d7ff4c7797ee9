import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { PosetwinError } from '../errors.ts';
import { readJsonIfThere, writeJson } from './files.ts';

const Memory = z.record(z.string(), z.object({ size: z.number(), modified: z.number(), sha256: z.string() }));
type Memory = z.output<typeof Memory>;

/** Files of a folder that are looked at together; tens of thousands of photos would take long one by one. */
const together = 32;
/** Up to here a file is read in one piece, which takes a tenth of the time of a stream. */
const small = 1 << 20;

const hashBytes = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** SHA-256 of the file's bytes, hex. */
export const hashFile = async (file: string): Promise<string> => {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
};

const filesOf = async (path: string): Promise<string[]> => {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new PosetwinError('missing_file', `${path} does not exist`, { file: path });
  if (found.isFile()) return [path];
  const names = await readdir(path, { recursive: true, withFileTypes: true });
  return names
    .filter(name => name.isFile() && !name.parentPath.includes('__pycache__'))
    .map(name => join(name.parentPath, name.name))
    .sort();
};

/**
 * Content hashes of files and folders. Gigabytes of weights are read once: a file of the same path, size and time of
 * change is taken from memory, which lives in one JSON file.
 */
export class Fingerprints {
  private readonly file: string;
  private memory: Promise<Memory> | undefined;
  private changed = false;

  constructor(file: string) {
    this.file = file;
  }

  /** 16 hex digits over the names and contents of everything below `path`. Raises `missing_file`. */
  async of(path: string, keep: (file: string) => boolean = () => true): Promise<string> {
    const hash = createHash('sha256');
    const files = (await filesOf(path)).filter(keep);
    for (let start = 0; start < files.length; start += together) {
      const some = files.slice(start, start + together);
      const digests = await Promise.all(some.map(file => this.ofFile(file)));
      for (const [index, file] of some.entries()) hash.update(`${relative(path, file)}\0${digests[index]}\n`);
    }
    return hash.digest('hex').slice(0, 16);
  }

  async save(): Promise<void> {
    if (this.changed) await writeJson(this.file, await this.memory);
  }

  private async load(): Promise<Memory> {
    return (await readJsonIfThere(this.file, Memory).catch(() => undefined)) ?? {};
  }

  private async ofFile(file: string): Promise<string> {
    this.memory ??= this.load();
    const memory = await this.memory;
    const { size, mtimeMs: modified } = await stat(file);
    const known = memory[file];
    if (known !== undefined && known.size === size && known.modified === modified) return known.sha256;
    const sha256 = size <= small ? hashBytes(await readFile(file)) : await hashFile(file);
    memory[file] = { size, modified, sha256 };
    this.changed = true;
    return sha256;
  }
}
