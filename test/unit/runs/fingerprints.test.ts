import { mkdir, mkdtemp, rename, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeDifference, differences, Fingerprints, hashFile } from '../../../orchestrator/runs/index.ts';

const newFolder = () => mkdtemp(join(tmpdir(), 'posetwin-prints-'));

describe('fingerprints', () => {
  it('hash a file as SHA-256', async () => {
    const file = join(await newFolder(), 'abc');
    await writeFile(file, 'abc');
    // FIPS 180-2, appendix B.1.
    expect(await hashFile(file)).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });

  it('change with a name or a content, and not with where the folder lies or when it was written', async () => {
    const parent = await newFolder();
    const [folder, moved] = [join(parent, 'one'), join(parent, 'two')];
    await mkdir(folder);
    await writeFile(join(folder, 'a'), '1');
    const of = (path: string) => new Fingerprints(join(parent, 'memory.json')).of(path);
    const before = await of(folder);
    await utimes(join(folder, 'a'), 1, 1);
    expect(await of(folder)).toBe(before);
    await rename(folder, moved);
    expect(await of(moved)).toBe(before);
    await writeFile(join(moved, 'a'), '2');
    const changed = await of(moved);
    expect(changed).not.toBe(before);
    await rename(join(moved, 'a'), join(moved, 'b'));
    expect(await of(moved)).not.toBe(changed);
  });

  it('refuse a path that is not there with missing_file', async () => {
    const prints = new Fingerprints(join(await newFolder(), 'memory.json'));
    await expect(prints.of('/no/such/folder')).rejects.toMatchObject({ code: 'missing_file' });
  });
});

describe('differences', () => {
  it('name single values by their path and compare lists as wholes', () => {
    const before = { seed: 0, train: { learning_rate: 1e-4, steps: [1, 2] } };
    const after = { seed: 0, train: { learning_rate: 1e-3, steps: [1, 3] }, name: 'new' };
    expect(differences(before, after).map(describeDifference)).toEqual([
      'train.learning_rate: 0.0001 -> 0.001',
      'train.steps: [1,2] -> [1,3]',
      'name: (none) -> "new"',
    ]);
  });
});
