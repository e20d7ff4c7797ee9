import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Decision, Decision as DecisionSchema, type StepEvent, WorkerEvent } from '../contracts/events.ts';
import { appendLine, readLines } from './files.ts';

/** Every event of a worker, in the order of its writing. */
export const readEvents = (file: string): Promise<WorkerEvent[]> => readLines(file, WorkerEvent);

/** The steps of a training in order. A resumed worker does some again: the last event of each step counts. */
export const lastSteps = (events: readonly WorkerEvent[]): StepEvent[] => {
  const byStep = new Map<number, StepEvent>();
  for (const event of events) if (event.type === 'step') byStep.set(event.step, event);
  return [...byStep.values()].sort((a, b) => a.step - b.step);
};

/** Step → `target_pose` of the validation on held-out pairs after it; null where it was not finite. */
export const heldOutPose = (events: readonly WorkerEvent[]): Map<number, number | null> =>
  new Map(
    events.flatMap(event =>
      event.type === 'validation' ? [[event.step, event.terms.target_pose ?? null] as const] : [],
    ),
  );

/** The events of a stage by its folder in the store, complete or not; undefined where there are none yet. */
export const eventsFileOf = (folder: string): string | undefined =>
  [folder, `${folder}.partial`].map(path => join(path, 'events.jsonl')).find(file => existsSync(file));

/** The journal of answers at boundaries: what was once answered is never decided anew. */
export class DecisionJournal {
  readonly file: string;

  constructor(file: string) {
    this.file = file;
  }

  read(): Promise<Decision[]> {
    return readLines(this.file, DecisionSchema);
  }

  async find(step: number): Promise<Decision | undefined> {
    return (await this.read()).find(decision => decision.step === step);
  }

  /** The journalled answer for this step; where there is none, `decide` gives it and it is written down. */
  async answer(step: number, decide: () => Omit<Decision, 'step'>): Promise<Decision> {
    const known = await this.find(step);
    if (known !== undefined) return known;
    const decision: Decision = { step, ...decide() };
    await appendLine(this.file, decision);
    return decision;
  }
}
