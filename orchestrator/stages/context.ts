import type { Experiment } from '../contracts/experiment.ts';
import type { Interrupts } from '../executors/local.ts';
import type { Plan } from '../plan/plan.ts';
import type { RunFolder, Store } from '../runs/index.ts';
import type { Emit } from './events.ts';
import type { Services } from './services.ts';

/** What every stage is given. */
export interface RunContext {
  experiment: Experiment;
  plan: Plan;
  store: Store;
  run: RunFolder;
  services: Services;
  interrupts: Interrupts;
  emit: Emit;
}
