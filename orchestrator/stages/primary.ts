import { join } from 'node:path';
import type { RunContext } from './context.ts';
import type { Stage } from './stage.ts';
import { runWorkerStage } from './worker-stage.ts';

/** Training of the primary adapter (Eq. 12) where the experiment asks for it. */
export const primary: Stage = {
  name: 'primary',
  run({ experiment, ...context }, folder) {
    const { store, plan } = context;
    const inputs = {
      assemble: store.folder(plan.stages.assemble),
      cache: store.folder(plan.stages.cache),
      primary: experiment.adapter.path,
    };
    const nproc_per_node = experiment.primary?.train.nproc_per_node ?? 1;
    return runWorkerStage({ experiment, ...context }, 'primary', folder, { inputs, nproc_per_node });
  },
};

/** Φ1 as the workers load it: the one that was trained here, or the one that `adapter` names. */
export const primaryPath = ({ experiment, plan, store }: Pick<RunContext, 'experiment' | 'plan' | 'store'>): string =>
  plan.stages.primary === null ? experiment.adapter.path : join(store.folder(plan.stages.primary), 'adapter');
