import { sendSignal } from './process-table.ts';

/** Names the process that started a trial and that the trial must not outlive. */
export const TRIAL_PARENT = 'POSETWIN_TRIAL_PARENT';

const POLL_MS = 250;

/**
 * Ends this process as soon as the one named in POSETWIN_TRIAL_PARENT is gone, even after `kill -9`; its workers' own
 * supervisors then end them. Without that variable nothing is watched. The returned function ends the watch.
 */
export const dieWithParent = (): (() => void) => {
  const parent = process.env[TRIAL_PARENT];
  if (parent === undefined) return () => undefined;
  // What this process starts has this one to watch, not that one.
  delete process.env[TRIAL_PARENT];
  const timer = setInterval(() => {
    if (process.ppid !== Number(parent)) sendSignal(process.pid, 'SIGKILL');
  }, POLL_MS);
  timer.unref();
  return () => clearInterval(timer);
};
