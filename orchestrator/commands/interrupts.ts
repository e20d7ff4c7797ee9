import type { Interrupts } from '../executors/local.ts';
import { onInterrupt } from '../processes/signals.ts';

/** Ctrl-C once stops with a checkpoint, twice ends at once; `release` gives the signals back. */
export const catchInterrupts = (say: (line: string) => void): Interrupts & { release: () => void } => {
  const [stop, kill] = [new AbortController(), new AbortController()];
  const release = onInterrupt({
    stop: () => {
      say('stopping after this step; once more to end at once');
      stop.abort();
    },
    kill: () => kill.abort(),
  });
  return { stop: stop.signal, kill: kill.signal, release };
};
