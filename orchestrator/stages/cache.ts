import type { Stage } from './stage.ts';
import { runWorkerStage } from './worker-stage.ts';

/** Latents, prompt embeddings and the primary's features: all frozen, so computed once. */
export const cache: Stage = {
  name: 'cache',
  run(context, folder) {
    const assembled = context.store.folder(context.plan.stages.assemble);
    return runWorkerStage(context, 'cache', folder, { inputs: { assemble: assembled } });
  },
};
