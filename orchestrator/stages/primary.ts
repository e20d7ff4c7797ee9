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
    const { nnodes = 1, nproc_per_node = 1 } = experiment.primary?.train ?? {};
    return runWorkerStage({ experiment, ...context }, 'primary', folder, { inputs, nnodes, nproc_per_node });
  },
};

/** Φ1 as the workers load it: the one that was trained here, or the one that `adapter` names. */
export const primaryPath = ({ experiment, plan, store }: Pick<RunContext, 'experiment' | 'plan' | 'store'>): string =>
  plan.stages.primary === null ? experiment.adapter.path : join(store.folder(plan.stages.primary), 'adapter');
