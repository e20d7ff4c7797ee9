import type { Experiment } from '../contracts/experiment.ts';
import { contentHash } from './canonical.ts';

/** The id of an experiment's run: the same experiment, the same id; `fresh` counts the runs that started over. */
export const runId = (experiment: Experiment, fresh = 0): string => contentHash({ experiment, fresh }, 8);
