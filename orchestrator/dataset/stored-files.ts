import { open, realpath } from 'node:fs/promises';
import { isAbsolute, relative, resolve } from 'node:path';
import type { StoredFile } from '../contracts/assembled.ts';
import { PosetwinError } from '../errors.ts';
import { corrupt } from './set-rows.ts';

const leaves = (folder: string, path: string): boolean => {
  const way = relative(folder, path);
  return way === '' || way.startsWith('..') || isAbsolute(way);
};

const insideOf = async (folder: string, name: string): Promise<string> => {
  const refused = () => new PosetwinError('unsafe_path', `'${name}' leaves the folder of the set`, { file: folder });
  const path = resolve(folder, name);
  if (leaves(folder, path)) throw refused();
  const real = await realpath(path).catch(cause => {
    throw new PosetwinError('missing_file', `${path} does not exist`, { file: path, cause });
  });
  if (leaves(await realpath(folder), real)) throw refused();
  return real;
};

/** Random access to the pictures in the shards of one folder. A set from elsewhere must not name files of this machine. */
export class StoredFiles {
  readonly #folder: string;
  readonly #shards = new Map<string, Promise<string>>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The bytes of a picture. Raises `missing_file`, `corrupt_file`, `unsafe_path`. */
  async read({ shard, offset, length }: StoredFile): Promise<Buffer> {
    const path = await this.#pathOf(shard);
    const handle = await open(path);
    try {
      const { size } = await handle.stat();
      if (offset + length > size) throw corrupt(path, `ends before byte ${offset + length}`);
      const { buffer } = await handle.read(Buffer.alloc(length), 0, length, offset);
      return buffer;
    } finally {
      await handle.close();
    }
  }

  #pathOf(shard: string): Promise<string> {
    const known = this.#shards.get(shard) ?? insideOf(this.#folder, shard);
    this.#shards.set(shard, known);
    return known;
  }
}
