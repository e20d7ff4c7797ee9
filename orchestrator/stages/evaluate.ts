import { primaryPath } from './primary.ts';
import type { Stage } from './stage.ts';
import { runWorkerStage } from './worker-stage.ts';

/** Held-out pairs without the secondary, under one sampler, and what the judge sees in them: the same for every training. */
export const baseline: Stage = {
  name: 'baseline',
  run(context, folder) {
    const inputs = { assemble: context.store.folder(context.plan.stages.assemble), primary: primaryPath(context) };
    return runWorkerStage(context, 'baseline', folder, { inputs });
  },
};

/** The same pairs with the secondary. */
export const evaluate: Stage = {
  name: 'evaluate',
  run(context, folder) {
    const { store, plan } = context;
    const inputs = {
      assemble: store.folder(plan.stages.assemble),
      baseline: store.folder(plan.stages.baseline),
      train: store.folder(plan.stages.train),
    };
    return runWorkerStage(context, 'evaluate', folder, { inputs });
  },
};
