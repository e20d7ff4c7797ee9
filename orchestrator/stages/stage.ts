import type { PlannedStage } from '../plan/plan.ts';
import type { StageName } from '../plan/versions.ts';
import { codeDigest } from '../runs/index.ts';
import type { RunContext } from './context.ts';

/** One stage: computes its outputs into `folder`, which becomes the store's entry once `run` returns. */
export interface Stage {
  name: Exclude<StageName, 'report'>;
  run(context: RunContext, folder: string): Promise<void>;
}

const seconds = (since: number): number => Math.round((performance.now() - since) / 10) / 100;

/** Runs the stage, unless the plan does without it, or says that its result is there. Raises `store_locked` and whatever the stage raises. */
export const runStage = async (context: RunContext, stage: Stage): Promise<void> => {
  const { store, emit } = context;
  const planned: PlannedStage | null = context.plan.stages[stage.name];
  if (planned === null) return;
  const tell = (state: 'cached' | 'started' | 'resumed' | 'finished', took: number) =>
    emit({ type: 'stage', stage: stage.name, key: planned.key, state, seconds: took });
  const before = store.state(planned);
  if (before === 'done') return tell('cached', (await store.record(planned)).seconds);

  const start = performance.now();
  tell(before === 'partial' ? 'resumed' : 'started', 0);
  await store.work(planned, async folder => {
    await stage.run(context, folder);
    const finished = new Date().toISOString();
    await store.finish(planned, { finished, seconds: seconds(start), code_digest: await codeDigest() });
  });
  tell('finished', seconds(start));
};
