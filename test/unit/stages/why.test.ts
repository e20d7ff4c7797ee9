import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Store } from '../../../orchestrator/runs/index.ts';
import { explainState } from '../../../orchestrator/stages/why.ts';
import { plan } from '../plan/experiment.ts';

const facts = { finished: '2024-01-01T00:00:00.000Z', seconds: 1, code_digest: 'old' };

/** A store in which the default experiment has been trained. */
const trainedStore = async (): Promise<Store> => {
  const store = new Store(await mkdtemp(join(tmpdir(), 'posetwin-why-')));
  const { train } = plan().stages;
  await store.work(train, () => store.finish(train, facts));
  return store;
};

describe('why a stage runs', () => {
  it('is that nothing was made yet, or that it goes on', async () => {
    const store = await trainedStore();
    const { cache } = plan().stages;
    expect(await explainState(store, cache, 'old')).toEqual(['absent', 'never made here']);
    await store.work(cache, async () => undefined);
    expect(await explainState(store, cache, 'old')).toEqual(['partial', 'begun earlier, goes on']);
  });

  it('names the settings that changed, and only the readable ones', async () => {
    const store = await trainedStore();
    const changed = plan({ train: { learning_rate: 0.001 }, schedule: { kind: 'linear' } }).stages.train;
    expect(await explainState(store, changed, 'old')).toEqual(['absent', 'train.learning_rate: 0.0001 -> 0.001']);
  });

  it('names the inputs that changed where the settings did not', async () => {
    const store = await trainedStore();
    const changed = plan({ dataset: { num_images: 10 } }).stages.train;
    expect(await explainState(store, changed, 'old')).toEqual(['absent', 'other assemble, cache, features']);
  });

  it('does not count the code, but says that it changed', async () => {
    const store = await trainedStore();
    const { train } = plan().stages;
    expect(await explainState(store, train, 'old')).toEqual(['done', 'nothing changed']);
    expect((await explainState(store, train, 'new'))[1]).toContain('but the code');
  });
});
