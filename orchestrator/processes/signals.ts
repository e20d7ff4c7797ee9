import type { EventEmitter } from 'node:events';

const interrupts = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface InterruptHandlers {
  /** the first Ctrl-C: save a checkpoint and stop */
  stop: (signal: NodeJS.Signals) => void;
  /** any later one: end now */
  kill: (signal: NodeJS.Signals) => void;
}

/** Hands interrupts to `handlers` instead of ending this process; the returned function undoes it. */
export const onInterrupt = (handlers: InterruptHandlers, source: EventEmitter = process): (() => void) => {
  let count = 0;
  const listener = (signal: NodeJS.Signals): void => {
    count += 1;
    if (count === 1) handlers.stop(signal);
    else handlers.kill(signal);
  };
  for (const signal of interrupts) source.on(signal, listener);
  return () => {
    for (const signal of interrupts) source.off(signal, listener);
  };
};
