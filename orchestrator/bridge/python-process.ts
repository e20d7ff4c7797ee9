import type { ChildProcess } from 'node:child_process';
import { PosetwinError } from '../errors.ts';

interface Refable {
  ref(): void;
  unref(): void;
}

/** The bridge's Python: everything that waits for it fails at once when it ends, and nothing of it is left behind. */
export class PythonProcess {
  readonly #child: ChildProcess;
  readonly #log: string | undefined;
  readonly #waiting = new Set<(error: PosetwinError) => void>();
  /** settles when the process is gone, or could not be started */
  readonly #gone: Promise<void>;
  #end: PosetwinError | undefined;

  /** child: just started, in this turn of the event loop, so that its `error` event is not missed */
  constructor(child: ChildProcess, python: string, log?: string) {
    this.#child = child;
    this.#log = log;
    this.#gone = new Promise(resolve => {
      child.once('exit', (code, signal) => {
        this.#endWith(this.#death(code, signal));
        resolve();
      });
      child.on('error', error => {
        if (child.pid !== undefined) return; // a write that met the end: `exit` tells the rest
        const details = { cause: error, hint: 'check POSETWIN_PYTHON' };
        this.#endWith(new PosetwinError('bridge_died', `${python} could not be run: ${error.message}`, details));
        resolve();
      });
    });
    this.#keepNodeAlive(false);
  }

  /** `answer`, or `bridge_died` as soon as Python ends, or `bridge_timeout` after `timeout_ms`, when Python is killed. */
  guard<T>(ask: () => Promise<T>, timeout_ms: number, what: string): Promise<T> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => this.#expire(timeout_ms, what), timeout_ms);
      const settle = <V>(then: (value: V) => void) => {
        return (value: V): void => {
          clearTimeout(timer);
          this.#waiting.delete(fail);
          if (this.#waiting.size === 0) this.#keepNodeAlive(false);
          then(value);
        };
      };
      const fail = settle(reject);
      this.#waiting.add(fail);
      this.#keepNodeAlive(true);
      ask().then(settle(resolve), fail);
    });
  }

  /** Ends Python and waits until it is gone; whatever still waits fails with `bridge_died`. */
  async close(): Promise<void> {
    this.#endWith(new PosetwinError('bridge_died', 'the bridge was closed'));
    this.#keepNodeAlive(true);
    this.#child.kill('SIGKILL');
    await this.#gone;
    this.#keepNodeAlive(false);
  }

  #death(code: number | null, signal: NodeJS.Signals | null): PosetwinError {
    const how = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
    const hint = signal === 'SIGKILL' ? 'if nobody killed it, the machine may be out of memory' : undefined;
    return new PosetwinError('bridge_died', `Python ${how}`, {
      ...(this.#log === undefined ? {} : { log: this.#log }),
      ...(hint === undefined ? {} : { hint }),
    });
  }

  #expire(timeout_ms: number, what: string): void {
    const message = `${what}: no answer in ${timeout_ms} ms; Python was killed`;
    this.#endWith(new PosetwinError('bridge_timeout', message, this.#log === undefined ? {} : { log: this.#log }));
    this.#child.kill('SIGKILL');
  }

  #endWith(error: PosetwinError): void {
    if (this.#end !== undefined) return;
    this.#end = error;
    for (const fail of [...this.#waiting]) fail(error);
  }

  /** While nothing is asked, an open bridge does not keep the command from ending. */
  #keepNodeAlive(alive: boolean): void {
    const handles: (Refable | null | undefined)[] = [this.#child, this.#child.channel];
    for (const handle of handles) handle?.[alive ? 'ref' : 'unref']();
  }
}
