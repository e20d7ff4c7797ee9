import type { Stage } from './stage.ts';
import { runWorkerStage } from './worker-stage.ts';

/** What the sources of pictures on disk hold, one list each, from which TypeScript then chooses. */
export const index: Stage = {
  name: 'index',
  run: (context, folder) => runWorkerStage(context, 'index', folder, { inputs: {} }),
};
