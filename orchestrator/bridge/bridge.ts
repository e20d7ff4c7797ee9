import { z } from 'zod';
import { PosetwinError } from '../errors.ts';
import {
  type BridgeContract,
  checkValue,
  decodeAnswer,
  encodeParams,
  type MethodOf,
  type ParamsOf,
  type ResultOf,
} from './envelope.ts';
import { PythonProcess } from './python-process.ts';
import { type BridgeModule, importPython, startPython } from './pythonia.ts';

export interface BridgeOptions<C extends BridgeContract> {
  contract: C;
  python: string;
  /** PYTHONPATH: the folder that holds `posetwin`, and that of `facade` */
  pythonPath: string;
  /** the Python module whose methods answer; the default is `posetwin.facade` */
  facade?: string;
  /** where Python's prints, warnings and crash reports go; the default is this process's standard error */
  log?: string;
  /** for the start, and the default for each call */
  timeout_ms?: number;
}

export interface CallOptions {
  /** counted from the call on, also while an earlier call keeps Python busy */
  timeout_ms?: number;
}

const TIMEOUT_MS = 120_000;
const Started = z.strictObject({ pid: z.int(), python: z.string() });
type Started = z.output<typeof Started>;

/** pythonia has one Python per Node process. */
let isOpen = false;

const toStartError = (error: unknown): PosetwinError =>
  error instanceof PosetwinError
    ? error
    : new PosetwinError('python_error', `posetwin.bridge could not be imported: ${error}`, { cause: error });

/**
 * Short questions to Python, typed and checked both ways by `contract`; one JSON string each way.
 *
 * Every call may throw `bridge_died`, `bridge_timeout` (Python is then killed), `bridge_contract`, `python_error`, or
 * the code of the PosetwinError that Python raised.
 */
export class Bridge<C extends BridgeContract> {
  readonly pid: number;
  readonly python_version: string;
  readonly #contract: C;
  readonly #process: PythonProcess;
  readonly #module: BridgeModule;
  readonly #timeout_ms: number;
  #closed = false;

  private constructor(options: BridgeOptions<C>, process: PythonProcess, module: BridgeModule, started: Started) {
    this.#contract = options.contract;
    this.#timeout_ms = options.timeout_ms ?? TIMEOUT_MS;
    this.#process = process;
    this.#module = module;
    this.pid = started.pid;
    this.python_version = started.python;
  }

  /** Starts Python. One bridge can be open at a time; after `close` another may follow. */
  static async open<C extends BridgeContract>(options: BridgeOptions<C>): Promise<Bridge<C>> {
    if (isOpen) throw new PosetwinError('bug', 'a bridge is already open in this process: close it first');
    isOpen = true;
    try {
      return await Bridge.#start(options);
    } catch (error) {
      isOpen = false;
      throw toStartError(error);
    }
  }

  static async #start<C extends BridgeContract>(options: BridgeOptions<C>): Promise<Bridge<C>> {
    const python = new PythonProcess(startPython(options), options.python, options.log);
    const { facade = 'posetwin.facade', log = null, timeout_ms = TIMEOUT_MS } = options;
    try {
      const module = await python.guard(() => importPython('posetwin.bridge'), timeout_ms, 'start');
      const settings = JSON.stringify({ facade, parent_pid: process.pid, log });
      const answer = await python.guard(() => module.start(settings), timeout_ms, 'start');
      return new Bridge(options, python, module, Started.parse(JSON.parse(answer)));
    } catch (error) {
      await python.close();
      throw error;
    }
  }

  /** Asks one question. Python answers them one after the other. */
  async call<M extends MethodOf<C>>(
    method: M,
    params: ParamsOf<C, M>,
    options: CallOptions = {},
  ): Promise<ResultOf<C, M>> {
    const schemas: BridgeContract[string] | undefined = this.#contract[method];
    if (schemas === undefined) throw new PosetwinError('bridge_contract', `the contract has no method ${method}`);
    const sent = encodeParams(method, checkValue(schemas.params, params, method, 'its parameters'));
    const value = decodeAnswer(method, await this.#dispatch(method, sent, options.timeout_ms));
    return checkValue(schemas.result, value, method, 'its results') as ResultOf<C, M>;
  }

  /** Lets Python import slow modules while this process goes on; calls made meanwhile wait for it. */
  warmUp(modules: readonly string[]): void {
    // A module that does not import is told by the call that needs it.
    this.#dispatch('warm_up', JSON.stringify({ modules })).catch(() => undefined);
  }

  /** Ends Python and waits until it is gone; safe to call twice. */
  async close(): Promise<void> {
    await this.#process.close();
    if (!this.#closed) isOpen = false;
    this.#closed = true;
  }

  #dispatch(method: string, sent: string, timeout_ms = this.#timeout_ms): Promise<string> {
    return this.#process.guard(() => this.#module.dispatch(method, sent), timeout_ms, method);
  }
}
