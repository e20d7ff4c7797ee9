import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { costOf, describeCost } from '../../../orchestrator/commands/sweep-cost.ts';
import { RunFolder } from '../../../orchestrator/runs/index.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'posetwin-cost-'));
});
afterEach(() => rm(root, { recursive: true }));

/** A run with a stage `train` of its own, and one that it may share. */
const write = async (id: string, shared: string, seconds: { shared: number; train: number }): Promise<RunFolder> => {
  const run = new RunFolder(join(root, 'runs'), 'x', id);
  const stages = { cache: [shared, seconds.shared], train: [id, seconds.train] } as const;
  for (const [stage, [key, took]] of Object.entries(stages)) {
    const folder = join(root, 'store', stage, key);
    await mkdir(folder, { recursive: true });
    const record = { stage, key, version: 1, spec: {}, inputs: {}, finished: '', seconds: took, code_digest: '' };
    await writeFile(join(folder, 'stage.json'), JSON.stringify(record));
  }
  await mkdir(run.path, { recursive: true });
  const folders = { cache: `../../../store/cache/${shared}`, train: `../../../store/train/${id}` };
  await writeFile(run.file('stages.json'), JSON.stringify(folders));
  return run;
};

describe('the cost of a sweep', () => {
  it('is that of its different stages, against that of separate runs', async () => {
    const times = { shared: 60, train: 20 };
    const runs = [await write('a', 's', times), await write('b', 's', times), await write('c', 't', times)];
    const cost = await costOf(runs);
    // Three trainings and two caches; separate runs would have made three.
    expect(cost).toEqual({ runs: 3, seconds: 180, separate_seconds: 240 });
    expect(describeCost(cost)).toBe('3 trials took 3 min 0 s of work, 0.75 times that of separate runs');
  });

  it('is not told of a single run, or of none', async () => {
    expect(describeCost(await costOf([await write('a', 's', { shared: 1, train: 1 })]))).toBe('');
    expect(describeCost(await costOf([]))).toBe('');
  });
});
