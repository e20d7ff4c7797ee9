import type { Interrupts } from './local.ts';

/** One trial as an executor sees it: a command line of posetwin, where its output goes, how many ranks it starts. */
export interface TrialCommand {
  id: string;
  args: readonly string[];
  log: string;
  nnodes: number;
  nproc_per_node: number;
}

/** The exit code of a trial that the rule of its sweep has cut: a result, and nothing to try again. */
export const CUT = 5;

export type TrialOutcome =
  | { state: 'done' }
  | { state: 'cut' }
  | { state: 'failed'; exit_code: number }
  | { state: 'preempted' }
  | { state: 'cancelled' };

export interface TrialExecutor {
  /** Starts every trial, at most `slots` at a time; tells each end once, in the order in which they end. */
  run(
    trials: readonly TrialCommand[],
    onEnd: (id: string, outcome: TrialOutcome) => void | Promise<void>,
    interrupts: Interrupts,
  ): Promise<void>;
}
