import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Experiment } from '../../../orchestrator/contracts/experiment.ts';
import { chooseRun, latestRun, listRuns } from '../../../orchestrator/runs/index.ts';
import { experiment } from '../plan/experiment.ts';

const newRoot = () => mkdtemp(join(tmpdir(), 'posetwin-runs-'));

/** Chooses the run folder as the command does, and begins it. */
const begin = async (root: string, given: Experiment, fresh = false) => {
  const chosen = chooseRun(given, { fresh, root });
  await chosen.run.begin({ experiment: given, origins: {}, fresh: chosen.fresh, file: 'x.yaml' });
  return chosen;
};

describe('the run folder', () => {
  it('is the same for the same experiment and another for a changed one', async () => {
    const root = await newRoot();
    const first = await begin(root, experiment());
    expect((await begin(root, experiment())).run.path).toBe(first.run.path);
    expect((await begin(root, experiment({ seed: 1 }))).run.path).not.toBe(first.run.path);
    expect(first.run.id).toMatch(/^[0-9a-f]{8}$/);
  });

  it('is new with --fresh, and without it the latest one goes on', async () => {
    const root = await newRoot();
    expect((await begin(root, experiment(), true)).fresh).toBe(0);
    expect((await begin(root, experiment(), true)).fresh).toBe(1);
    expect((await begin(root, experiment())).fresh).toBe(1);
    expect((await begin(root, experiment(), true)).fresh).toBe(2);
    expect(await listRuns(root)).toHaveLength(3);
  });

  it('names the run before it, of the same name, by the time it was started', async () => {
    const root = await newRoot();
    const ended = { finished: null, report: null, code: null, message: null, process: null };
    const status = { status: 'done', ...ended } as const;
    const [old, recent] = [await begin(root, experiment({ seed: 1 })), await begin(root, experiment({ seed: 2 }))];
    await old.run.writeStatus({ ...status, started: '2024-01-01' });
    await recent.run.writeStatus({ ...status, started: '2024-01-02' });
    const { run } = await begin(root, experiment({ seed: 3 }));
    expect((await latestRun('test', run.id, root))?.id).toBe(recent.run.id);
    expect(await latestRun('other', run.id, root)).toBeUndefined();
  });
});
