import type { PlannedStage } from '../plan/plan.ts';
import type { StageName } from '../plan/versions.ts';
import type { LockOwner } from '../processes/lock.ts';
import { codeDigest } from '../runs/index.ts';
import type { RunContext } from './context.ts';

/** One stage: computes its outputs into `folder`, which becomes the store's entry once `run` returns. */
export interface Stage {
  name: Exclude<StageName, 'report'>;
  run(context: RunContext, folder: string): Promise<void>;
}

const seconds = (since: number): number => Math.round((performance.now() - since) / 10) / 100;

/** A stage may take days: whoever needs its result waits for as long as another process computes it. */
const waiting = ({ emit, interrupts }: RunContext, { name }: PlannedStage) => ({
  wait_ms: Number.POSITIVE_INFINITY,
  signal: interrupts.stop,
  onWait: (owner: LockOwner | null) => {
    const who = owner === null ? 'another process' : `process ${owner.pid} on ${owner.host}`;
    emit({ type: 'note', message: `${name} waits for ${who}, which computes the same stage` });
  },
});

/**
 * Runs the stage, unless the plan does without it, or says that its result is there, made before or by another process
 * meanwhile. Raises `cancelled` and whatever the stage raises.
 */
export const runStage = async (context: RunContext, stage: Stage): Promise<void> => {
  const { store, emit } = context;
  const planned: PlannedStage | null = context.plan.stages[stage.name];
  if (planned === null) return;
  const tell = (state: 'cached' | 'started' | 'resumed' | 'finished', took: number) =>
    emit({ type: 'stage', stage: stage.name, key: planned.key, state, seconds: took });
  const tellCached = async () => tell('cached', (await store.record(planned)).seconds);
  const compute = async (folder: string, isNew: boolean): Promise<number> => {
    const start = performance.now();
    tell(isNew ? 'started' : 'resumed', 0);
    await stage.run(context, folder);
    const [finished, took] = [new Date().toISOString(), seconds(start)];
    await store.finish(planned, { finished, seconds: took, code_digest: await codeDigest() });
    return took;
  };
  if (store.state(planned) === 'done') return tellCached();
  const took = await store.work(planned, compute, waiting(context, planned));
  if (took === undefined) return tellCached();
  tell('finished', took);
};
