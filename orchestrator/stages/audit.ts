import type { Stage } from './stage.ts';
import { learningInputs } from './train.ts';
import { runWorkerStage } from './worker-stage.ts';

/** What the derivation takes for granted, measured at every t on the trained models; the verdict judges it. */
export const audit: Stage = {
  name: 'audit',
  run(context, folder) {
    const train = context.store.folder(context.plan.stages.train);
    return runWorkerStage(context, 'audit', folder, { inputs: { ...learningInputs(context), train } });
  },
};
