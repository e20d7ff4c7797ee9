import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { availableParallelism, hostname, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type GitState, gitState } from '../processes/git.ts';

export const projectFolder = fileURLToPath(new URL('../..', import.meta.url));

/** Where, with what and from which code a run was made. */
export interface Provenance {
  argv: string[];
  git: GitState | null;
  code_digest: string;
  node: string;
  hostname: string;
  platform: string;
  cores: number;
  memory_mb: number;
  /** Python's and its packages' versions; empty when no Python was needed */
  packages: Record<string, string>;
  started: string;
}

const isCode = (name: string): boolean => /\.(ts|py)$/.test(name);

/** 16 hex digits over all source files of both languages. Recorded and compared, but no part of a key. */
export const codeDigest = async (root = projectFolder): Promise<string> => {
  const hash = createHash('sha256');
  for (const folder of ['orchestrator', join('python', 'posetwin')]) {
    const names = (await readdir(join(root, folder), { recursive: true })).filter(isCode).sort();
    const texts = await Promise.all(names.map(name => readFile(join(root, folder, name))));
    for (const [index, name] of names.entries()) hash.update(`${name}\0`).update(texts[index] ?? '');
  }
  return hash.digest('hex').slice(0, 16);
};

export const collectProvenance = async (
  argv: string[],
  started: string,
  packages: Record<string, string>,
): Promise<Provenance> => ({
  argv,
  git: await gitState(projectFolder),
  code_digest: await codeDigest(),
  node: process.version,
  hostname: hostname(),
  platform: `${platform()} ${release()}`,
  cores: availableParallelism(),
  memory_mb: Math.round(totalmem() / 2 ** 20),
  packages,
  started,
});
