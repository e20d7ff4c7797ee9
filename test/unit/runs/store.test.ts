import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { PlannedStage } from '../../../orchestrator/plan/plan.ts';
import { Store, surveyStore, writeJson } from '../../../orchestrator/runs/index.ts';

const stage = (key: string): PlannedStage<'report'> => ({
  name: 'report',
  version: 1,
  key,
  spec: { name: key, description: '' },
  inputs: { verdict: 'abc' },
});
const facts = { finished: '2024-01-01T00:00:00.000Z', seconds: 2, code_digest: 'c0de' };
const newStore = async () => new Store(await mkdtemp(join(tmpdir(), 'posetwin-store-')));

describe('the store', () => {
  it('goes from absent to partial to done, and done only by one rename', async () => {
    const store = await newStore();
    expect(store.state(stage('a'))).toBe('absent');
    await store.work(stage('a'), folder => writeFile(join(folder, 'out.txt'), 'x'));
    expect(store.state(stage('a'))).toBe('partial');
    await store.work(stage('a'), async folder => {
      expect(existsSync(join(folder, 'out.txt'))).toBe(true);
      await store.finish(stage('a'), facts);
    });
    expect(store.state(stage('a'))).toBe('done');
    expect(existsSync(store.partial(stage('a')))).toBe(false);
    expect(await store.record(stage('a'))).toMatchObject({ key: 'a', spec: { name: 'a' }, ...facts });
  });

  it('lets one process alone work on a key, with store_locked for the other', async () => {
    const store = await newStore();
    await store.work(stage('a'), async () => {
      await expect(store.work(stage('a'), async () => 'never')).rejects.toMatchObject({ code: 'store_locked' });
      await expect(store.work(stage('b'), async () => 'other key')).resolves.toBe('other key');
    });
    await expect(store.work(stage('a'), async () => 'free again')).resolves.toBe('free again');
  });

  it('lets whoever waits have what the other has completed, instead of computing it again', async () => {
    const store = await newStore();
    let second: Promise<string | undefined> | undefined;
    const onWait = vi.fn();
    await store.work(stage('a'), async () => {
      const waiting = { wait_ms: Number.POSITIVE_INFINITY, onWait };
      second = store.work(stage('a'), async () => 'computed again', waiting);
      await vi.waitFor(() => expect(onWait).toHaveBeenCalledOnce());
      await store.finish(stage('a'), facts);
    });
    await expect(second).resolves.toBeUndefined();
    expect(store.state(stage('a'))).toBe('done');
    expect(existsSync(store.partial(stage('a')))).toBe(false);
  });

  it('lets whoever waits compute what the other has failed at, and be interrupted meanwhile', async () => {
    const store = await newStore();
    const [stop, waiting] = [new AbortController(), { wait_ms: Number.POSITIVE_INFINITY }];
    const others: Promise<string | undefined>[] = [];
    const failing = store.work(stage('a'), async () => {
      others.push(store.work(stage('a'), async () => 'computed', waiting));
      const stopped = store.work(stage('a'), async () => 'never', { ...waiting, signal: stop.signal });
      stop.abort();
      await expect(stopped).rejects.toMatchObject({ code: 'cancelled' });
      throw new Error('on purpose');
    });
    await expect(failing).rejects.toThrow('on purpose');
    await expect(Promise.all(others)).resolves.toEqual(['computed']);
  });

  it('frees the lock when the work fails, and keeps what was done', async () => {
    const store = await newStore();
    const fail = store.work(stage('a'), async folder => {
      await writeFile(join(folder, 'half.txt'), 'x');
      throw new Error('on purpose');
    });
    await expect(fail).rejects.toThrow('on purpose');
    await store.work(stage('a'), async folder => expect(existsSync(join(folder, 'half.txt'))).toBe(true));
  });

  it('takes over the lock of a process that is gone', async () => {
    const store = await newStore();
    const lock = `${store.folder(stage('a'))}.lock`;
    await mkdir(lock, { recursive: true });
    const { hostname } = await import('node:os');
    // No process has this number: Linux allows at most 2^22.
    await writeJson(join(lock, 'owner.json'), { pid: 2 ** 30, host: hostname(), started: null });
    await expect(store.work(stage('a'), async () => 'taken over')).resolves.toBe('taken over');
  });

  it('counts as garbage what no run refers to', async () => {
    const store = await newStore();
    const runs = join(store.root, '..', `${store.root}-runs`);
    for (const key of ['used', 'unused']) {
      await store.work(stage(key), folder => writeFile(join(folder, 'out.txt'), '12345'));
    }
    const run = join(runs, 'name', 'id');
    await writeJson(join(run, 'experiment.resolved.json'), {});
    await writeJson(join(run, 'stages.json'), { report: relative(run, store.folder(stage('used'))) });
    const entries = await surveyStore(store, runs);
    expect(entries.map(({ key, runs: users, bytes }) => [key, users, bytes]).toSorted()).toEqual([
      ['unused', [], 5],
      ['used', ['name/id'], 5],
    ]);
  });
});
