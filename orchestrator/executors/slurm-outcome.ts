import type { JobRecord } from '../processes/slurm-records.ts';
import type { TrialOutcome } from './trials.ts';

const INTERRUPTED = 130;
/** as timeout(1) says it */
const OUT_OF_TIME = 124;
/** 128 + SIGKILL */
const KILLED = 137;

/** States that a task does not leave by itself; in every other it runs, ends or will run. */
const endedWith: Record<string, (record: JobRecord) => TrialOutcome> = {
  COMPLETED: () => ({ state: 'done' }),
  FAILED: ({ exit_code, signal }) => outcomeOfExit(exit_code === 0 ? 128 + signal : exit_code),
  CANCELLED: () => ({ state: 'cancelled' }),
  PREEMPTED: () => ({ state: 'preempted' }),
  NODE_FAIL: () => ({ state: 'preempted' }),
  BOOT_FAIL: () => ({ state: 'preempted' }),
  REVOKED: () => ({ state: 'preempted' }),
  TIMEOUT: () => ({ state: 'failed', exit_code: OUT_OF_TIME }),
  DEADLINE: () => ({ state: 'failed', exit_code: OUT_OF_TIME }),
  OUT_OF_MEMORY: () => ({ state: 'failed', exit_code: KILLED }),
};

/** By the exit code of the trial's own process: 130 is an interruption with everything saved. */
export const outcomeOfExit = (exit_code: number): TrialOutcome => {
  if (exit_code === 0) return { state: 'done' };
  return exit_code === INTERRUPTED ? { state: 'preempted' } : { state: 'failed', exit_code };
};

/** Neither the controller nor the job script tells how it ended: whatever ended it left no time to write. */
export const unknownEnd: TrialOutcome = { state: 'failed', exit_code: KILLED };

/** How a task ended; undefined while it has not. `exit_code` is what its job script wrote, if it got so far. */
export const outcomeOf = (record: JobRecord | undefined, exit_code: number | undefined): TrialOutcome | undefined => {
  if (record === undefined) return exit_code === undefined ? undefined : outcomeOfExit(exit_code);
  const ended = endedWith[record.state];
  if (ended === undefined) return undefined;
  return exit_code === undefined ? ended(record) : outcomeOfExit(exit_code);
};
