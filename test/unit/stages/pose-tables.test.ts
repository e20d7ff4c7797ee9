import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Fingerprints, Store } from '../../../orchestrator/runs/index.ts';
import { fingerprintsOf } from '../../../orchestrator/stages/fingerprints.ts';
import { countRows } from '../../../orchestrator/stages/pose-tables.ts';
import type { Services } from '../../../orchestrator/stages/services.ts';
import { experiment } from '../plan/experiment.ts';

const newTable = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'posetwin-tables-'));
  const path = join(folder, 'poses.npz');
  await writeFile(path, 'one');
  return { folder, path, store: new Store(join(folder, 'store')) };
};

/** Python that answers the next number to every question. */
const counting = () => {
  const asked: unknown[] = [];
  const call = async (_name: string, params: unknown) => ({ rows: asked.push(params) });
  return { asked, services: { bridge: async () => ({ call }) } as unknown as Services };
};

describe('the rows of a table', () => {
  it('are asked for once, until the file or the layout changes', async () => {
    const { folder, path, store } = await newTable();
    const { asked, services } = counting();
    const count = (layout: 'auto' | 'coco-17') => {
      const prints = new Fingerprints(join(folder, 'prints.json'));
      return countRows({ kind: 'poses', weight: 1, path, layout }, store, prints, services);
    };
    expect([await count('auto'), await count('auto')]).toEqual([1, 1]);
    expect(await count('coco-17')).toBe(2);
    await writeFile(path, 'another');
    expect([await count('auto'), await count('coco-17')]).toEqual([3, 4]);
    expect(asked).toHaveLength(4);
    expect(asked[0]).toEqual({ path, layout: 'auto' });
  });
});

describe('the fingerprint of a table', () => {
  it('changes with what is in the file, and with the world that draws its poses', async () => {
    const { folder, path } = await newTable();
    const printOf = async (version: string) => {
      const made = experiment({ dataset: { sources: [{ kind: 'poses', path }] } });
      const prints = new Fingerprints(join(folder, 'prints.json'));
      return (await fingerprintsOf(made, prints, { version, poses: [] })).sources[0];
    };
    const first = await printOf('1');
    expect(await printOf('1')).toBe(first);
    expect(await printOf('2')).not.toBe(first);
    await writeFile(path, 'another');
    expect(await printOf('1')).not.toBe(first);
  });
});
