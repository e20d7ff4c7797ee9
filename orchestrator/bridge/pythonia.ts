import type { ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { stripVTControlCharacters } from 'node:util';

/** The module posetwin.bridge as pythonia shows it: text in, text out. */
export interface BridgeModule {
  start(options: string): Promise<string>;
  dispatch(name: string, params: string): Promise<string>;
}

/** The part of pythonia that is used here; its own types are wider and looser. */
interface Pythonia {
  com: { proc: ChildProcess; start(): void };
  python(module: string): Promise<BridgeModule>;
}

interface PythoniaGlobal {
  __pythonBridge?: { end(): void };
}

export interface PythoniaOptions {
  python: string;
  pythonPath: string;
}

let loaded: Pythonia | undefined;

const setVariables = (variables: Record<string, string | undefined>): void => {
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
};

/** pythonia takes its settings, and Python its own, from this process's environment: set for the moment of the start. */
const withVariables = <T>(variables: Record<string, string | undefined>, run: () => T): T => {
  const before = Object.fromEntries(Object.keys(variables).map(name => [name, process.env[name]]));
  setVariables(variables);
  try {
    return run();
  } finally {
    setVariables(before);
  }
};

// Loading pythonia starts Python at once. Its `com` is no named export, so that `import` would not find it.
const load = (): Pythonia => {
  const require = createRequire(import.meta.url);
  const library: Pythonia = require('pythonia');
  // Its timer frees remote objects once a second. One module is all we hold, and the timer would keep Node alive.
  (globalThis as PythoniaGlobal).__pythonBridge?.end();
  return library;
};

/** Starts Python; a start that fails is told by the process's `error` event. */
export const startPython = ({ python, pythonPath }: PythoniaOptions): ChildProcess =>
  withVariables(
    {
      PYTHON_BIN: python,
      PYTHONPATH: pythonPath,
      PYTHONUNBUFFERED: '1',
      REQ_TIMEOUT: '0', // its own limit of 100 s: deadlines are the Bridge's
      DEBUG: undefined, // would make it print every message
    },
    () => {
      if (loaded === undefined) loaded = load();
      else loaded.com.start();
      return loaded.com.proc;
    },
  );

/** Imports a Python module in the process started last. pythonia's errors have no message: the stack holds all. */
export const importPython = async (name: string): Promise<BridgeModule> => {
  if (loaded === undefined) throw new Error('Python has not been started');
  try {
    return await loaded.python(name);
  } catch (error) {
    throw new Error(stripVTControlCharacters(error instanceof Error ? (error.stack ?? '') : String(error)));
  }
};
