import { PosetwinError } from '../errors.ts';
import { onInterrupt } from '../processes/signals.ts';
import { Services } from '../stages/services.ts';

/**
 * Python for one short question: ended whatever happens, also by Ctrl-C, which raises `cancelled`. Set-up, where there
 * is no Python yet, is told on standard error.
 */
export const withServices = async <T>(use: (services: Services) => Promise<T>): Promise<T> => {
  const stop = new AbortController();
  const services = new Services({ onSetup: line => console.error(`set-up: ${line}`), signal: stop.signal });
  const end = (): void => {
    stop.abort();
    void services.close();
  };
  const release = onInterrupt({ stop: end, kill: end });
  try {
    return await use(services);
  } catch (cause) {
    // What was asked then fails because its Python is gone, which is no news to whoever ended it.
    throw stop.signal.aborted ? new PosetwinError('cancelled', 'stopped', { cause }) : cause;
  } finally {
    await services.close();
    release();
  }
};
