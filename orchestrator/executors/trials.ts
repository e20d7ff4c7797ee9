import { constants } from 'node:os';
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

/** Done, and done without convergence: posetwin's own codes. */
const completed: readonly number[] = [0, 4];
/** With everything saved, or by a signal before there was anything to save. */
const interrupted: readonly number[] = [
  130,
  ...(['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map(name => 128 + constants.signals[name]),
];

/** By the exit code of the trial's own process. */
export const outcomeOfExit = (exit_code: number): TrialOutcome => {
  if (completed.includes(exit_code)) return { state: 'done' };
  if (exit_code === CUT) return { state: 'cut' };
  return interrupted.includes(exit_code) ? { state: 'preempted' } : { state: 'failed', exit_code };
};

export interface TrialExecutor {
  /** trials go on when the command that started them is gone, and the same command finds them again */
  readonly outlivesCommand: boolean;
  /** Starts every trial, at most `slots` at a time; tells each end once, in the order in which they end. */
  run(
    trials: readonly TrialCommand[],
    onEnd: (id: string, outcome: TrialOutcome) => void | Promise<void>,
    interrupts: Interrupts,
  ): Promise<void>;
}
