import { type ErrorClass, errorClasses, isErrorCode } from '../errors.ts';
import type { TrialOutcome } from './trials.ts';

/** How an attempt ended, and whether there is another one. `diverged` and `cut` are results: neither failed nor tried again. */
export type Judgement = 'done' | 'diverged' | 'cut' | 'failed' | 'stopped' | 'retry';

/** What another attempt may well not meet again. Memory, configuration and data stay what they are. */
const passing: ReadonlySet<ErrorClass | 'unknown'> = new Set(['worker_died', 'timeout', 'bridge', 'unknown']);

/** After the first attempt. */
export const maxRetries = 2;

const classOf = (exit_code: number, code: string | null): ErrorClass | 'unknown' => {
  if (exit_code === 2) return 'config';
  return code !== null && isErrorCode(code) ? errorClasses[code] : 'unknown';
};

/**
 * `code` is that of the error, null where the trial could not tell one; `failures` counts the failed attempts of this
 * command so far, this one included. An interrupted trial goes on from its checkpoint, however often.
 */
export const judgeAttempt = (outcome: TrialOutcome, code: string | null, failures: number): Judgement => {
  if (outcome.state === 'done' || outcome.state === 'cut') return outcome.state;
  if (outcome.state === 'preempted') return 'retry';
  if (outcome.state === 'cancelled') return 'stopped';
  const found = classOf(outcome.exit_code, code);
  if (found === 'diverged') return 'diverged';
  return passing.has(found) && failures <= maxRetries ? 'retry' : 'failed';
};

/** Waits double from one failure to the next; an interruption is no reason to wait. */
export const backoffMs = (failures: number, first_ms: number): number =>
  failures === 0 ? 0 : first_ms * 2 ** (failures - 1);
