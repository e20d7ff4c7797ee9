import { primaryPath } from './primary.ts';
import type { Stage } from './stage.ts';
import { runWorkerStage } from './worker-stage.ts';

/** Samples of the three routes on held-out pairs under one sampler, and what the judge sees in them. */
export const evaluate: Stage = {
  name: 'evaluate',
  run(context, folder) {
    const { store, plan } = context;
    const inputs = {
      assemble: store.folder(plan.stages.assemble),
      primary: primaryPath(context),
      train: store.folder(plan.stages.train),
    };
    return runWorkerStage(context, 'evaluate', folder, { inputs });
  },
};
