import type { JobRecord } from '../processes/slurm-records.ts';
import { outcomeOfExit, type TrialOutcome } from './trials.ts';

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

/** Neither the controller nor the job script tells how it ended: whatever ended it left no time to write. */
export const unknownEnd: TrialOutcome = { state: 'failed', exit_code: KILLED };

const isResult = ({ state }: TrialOutcome): boolean => state === 'done' || state === 'cut';

export const isInterrupted = ({ state }: TrialOutcome): boolean => state === 'cancelled' || state === 'preempted';

/** How a task ended; undefined while it has not. `exit_code` is what its job script wrote, if it got so far. */
export const outcomeOf = (record: JobRecord | undefined, exit_code: number | undefined): TrialOutcome | undefined => {
  const written = exit_code === undefined ? undefined : outcomeOfExit(exit_code);
  if (record === undefined) return written;
  const told = endedWith[record.state]?.(record);
  if (told === undefined || written === undefined) return told;
  // Ended from outside: Slurm knows that better than the exit code of a trial in the middle of something.
  return isInterrupted(told) && !isResult(written) ? told : written;
};
