import { PosetwinError } from '../errors.ts';
import type { Interrupts } from '../executors/local.ts';
import { onInterrupt } from '../processes/signals.ts';

export interface CaughtInterrupts extends Interrupts {
  /** gives the signals back */
  release: () => void;
  /** the same error, or `preempted` where it was no person who stopped the run: a scheduler sends SIGTERM */
  named: (error: PosetwinError) => PosetwinError;
}

/** Ctrl-C once stops with a checkpoint, twice ends at once; SIGTERM and SIGHUP likewise. */
export const catchInterrupts = (say: (line: string) => void): CaughtInterrupts => {
  const [stop, kill] = [new AbortController(), new AbortController()];
  let stoppedBy: NodeJS.Signals | undefined;
  const release = onInterrupt({
    stop: signal => {
      stoppedBy = signal;
      say('stopping after this step; once more to end at once');
      stop.abort();
    },
    kill: () => kill.abort(),
  });
  const named = (error: PosetwinError): PosetwinError =>
    error.code === 'cancelled' && stoppedBy === 'SIGTERM'
      ? new PosetwinError('preempted', error.message, error.details)
      : error;
  return { stop: stop.signal, kill: kill.signal, release, named };
};
