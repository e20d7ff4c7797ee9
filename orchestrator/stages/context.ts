import type { Experiment } from '../contracts/experiment.ts';
import type { TrialCut } from '../contracts/sweep.ts';
import type { Interrupts } from '../executors/local.ts';
import type { Curve } from '../plan/early-stopping.ts';
import type { Plan } from '../plan/plan.ts';
import type { RunFolder, Store } from '../runs/index.ts';
import type { Emit } from './events.ts';
import type { Services } from './services.ts';

/** Whether the rule of a sweep cuts this trial after a step, by its own held-out pose errors so far. Once answered, always. */
export type AskRule = (step: number, own: Curve) => Promise<TrialCut | undefined>;

/** What every stage is given. */
export interface RunContext {
  experiment: Experiment;
  plan: Plan;
  store: Store;
  run: RunFolder;
  services: Services;
  interrupts: Interrupts;
  emit: Emit;
  /** left out where no rule may cut the run */
  askRule?: AskRule;
}
