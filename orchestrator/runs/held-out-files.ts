import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { WorkerEvent } from '../contracts/events.ts';
import type { Curve } from '../plan/early-stopping.ts';
import { eventsFileOf, heldOutPose } from './events.ts';
import { readText } from './files.ts';
import type { RunFolder } from './run-folder.ts';

interface Known {
  size: number;
  curve: Curve;
}

/** How a validation's line is told from the many others of a training, before any of it is parsed. */
const MARK = '"validation"';

/** Its writer may be in the middle of it, or have been another version: what cannot be read is not there yet. */
const eventOf = (line: string): WorkerEvent[] => {
  try {
    return [WorkerEvent.parse(JSON.parse(line))];
  } catch {
    return [];
  }
};

const readCurve = async (file: string): Promise<Curve> => {
  const lines = ((await readText(file)) ?? '').split('\n').filter(line => line.includes(MARK));
  return heldOutPose(lines.flatMap(eventOf));
};

/** The training may be done at this moment, and its folder have another name. */
const sizeOf = (file: string): Promise<number> =>
  stat(file).then(
    found => found.size,
    () => 0,
  );

const nothing: Curve = new Map();

/** The held-out pose errors of other trainings, from their files alone; a file that has not grown is not read again. */
export class HeldOutFiles {
  readonly #known = new Map<string, Known>();

  /** By the run that the training belongs to; two runs that share the training have the same `stage`. */
  async of(run: RunFolder): Promise<{ stage: string | undefined; curve: Curve }> {
    const folder = (await run.stageFolders().catch(() => undefined))?.train;
    if (folder === undefined) return { stage: undefined, curve: nothing };
    const stage = resolve(run.path, folder);
    return { stage, curve: await this.#curve(eventsFileOf(stage)) };
  }

  async #curve(file: string | undefined): Promise<Curve> {
    if (file === undefined) return nothing;
    const size = await sizeOf(file);
    const known = this.#known.get(file);
    if (known?.size === size) return known.curve;
    const curve = await readCurve(file);
    this.#known.set(file, { size, curve });
    return curve;
  }
}
