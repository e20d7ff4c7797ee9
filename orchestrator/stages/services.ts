import { Bridge } from '../bridge/bridge.ts';
import { type FacadeContract, facadeContract } from '../contracts/facade.ts';
import { ensurePython, type PythonSetup } from '../processes/python-setup.ts';

export type PythonBridge = Bridge<FacadeContract>;

export interface ServiceOptions {
  onSetup: (line: string) => void;
  /** where the bridge's Python writes what it prints */
  log?: string;
  signal?: AbortSignal;
}

/** Python and the bridge, started when first asked for: a run of cached stages starts neither. */
export class Services {
  private readonly options: ServiceOptions;
  private setup: Promise<PythonSetup> | undefined;
  private opened: Promise<PythonBridge> | undefined;

  constructor(options: ServiceOptions) {
    this.options = options;
  }

  /** Makes the Python environment where there is none. Raises the codes of `ensurePython`. */
  python(): Promise<PythonSetup> {
    const { onSetup, signal } = this.options;
    this.setup ??= ensurePython({ onProgress: onSetup, ...(signal === undefined ? {} : { signal }) });
    return this.setup;
  }

  bridge(): Promise<PythonBridge> {
    this.opened ??= this.open();
    return this.opened;
  }

  /** Lets Python import torch and diffusers while TypeScript and the first stages go on. */
  warmUp(): void {
    // A bridge that does not start is told by the first question that needs it.
    this.bridge()
      .then(bridge => bridge.warmUp(['torch', 'diffusers']))
      .catch(() => undefined);
  }

  async close(): Promise<void> {
    const bridge = await this.opened?.catch(() => undefined);
    this.opened = undefined;
    await bridge?.close();
  }

  private async open(): Promise<PythonBridge> {
    const { python, pythonPath } = await this.python();
    const { log } = this.options;
    return Bridge.open({ contract: facadeContract, python, pythonPath, ...(log === undefined ? {} : { log }) });
  }
}
