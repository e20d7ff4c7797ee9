import type { Interrupts } from './local.ts';

/** One trial of a sweep: the command that runs it to its end, wherever that is. */
export interface TrialCommand {
  id: string;
  args: readonly string[];
  log: string;
  nnodes: number;
  nproc_per_node: number;
}

export type TrialOutcome =
  | { state: 'done' }
  | { state: 'failed'; exit_code: number }
  | { state: 'preempted' }
  | { state: 'cancelled' };

export interface TrialExecutor {
  run(
    trials: readonly TrialCommand[],
    onEnd: (id: string, outcome: TrialOutcome) => void | Promise<void>,
    interrupts: Interrupts,
  ): Promise<void>;
}
