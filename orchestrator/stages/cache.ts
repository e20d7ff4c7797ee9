import { primaryPath } from './primary.ts';
import type { Stage } from './stage.ts';
import { runWorkerStage } from './worker-stage.ts';

/** Latents and prompt embeddings: frozen, so computed once. */
export const cache: Stage = {
  name: 'cache',
  run(context, folder) {
    const assembled = context.store.folder(context.plan.stages.assemble);
    return runWorkerStage(context, 'cache', folder, { inputs: { assemble: assembled } });
  },
};

/** The primary's features of every control map: frozen once the primary is there. */
export const features: Stage = {
  name: 'features',
  run(context, folder) {
    const inputs = { assemble: context.store.folder(context.plan.stages.assemble), primary: primaryPath(context) };
    return runWorkerStage(context, 'features', folder, { inputs });
  },
};
