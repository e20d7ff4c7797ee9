import { join } from 'node:path';
import { type PlannedStage, stagesOf } from '../plan/plan.ts';
import { codeDigest, readEvents } from '../runs/index.ts';
import type { RunContext } from './context.ts';
import { memoryWarnings } from './memory.ts';
import { keptMemory } from './preflight.ts';

export interface Warning {
  code: string;
  message: string;
}

/** The context with an ear on its events, and every warning of this run and of the training it stands on. */
export const collectWarnings = (context: RunContext): { context: RunContext; list: () => Promise<Warning[]> } => {
  const heard: Warning[] = [];
  const emit: RunContext['emit'] = event => {
    if (event.type === 'worker' && event.event.type === 'warning') {
      heard.push({ code: event.event.code, message: event.event.message });
    }
    context.emit(event);
  };
  const list = async () =>
    unique([
      ...heard,
      ...(await trainingWarnings(context)),
      ...memoryWarnings(await keptMemory(context)),
      ...(await codeWarnings(context)),
    ]);
  return { context: { ...context, emit }, list };
};

const trainingWarnings = async ({ store, plan }: RunContext): Promise<Warning[]> => {
  const events = await readEvents(join(store.folder(plan.stages.train), 'events.jsonl'));
  return events.flatMap(event => (event.type === 'warning' ? [{ code: event.code, message: event.message }] : []));
};

/** Results stay valid when the code changes; a reader of the report should know it all the same. */
const codeWarnings = async ({ store, plan }: RunContext): Promise<Warning[]> => {
  const digest = await codeDigest();
  const stages: PlannedStage[] = stagesOf(plan).filter(stage => store.state(stage) === 'done');
  const records = await Promise.all(stages.map(stage => store.record(stage)));
  const old = records.filter(record => record.code_digest !== digest).map(record => record.stage);
  const message = `made by another version of the code than the report: ${old.join(', ')}`;
  return old.length === 0 ? [] : [{ code: 'other_code', message }];
};

const unique = (warnings: readonly Warning[]): Warning[] => [
  ...new Map(warnings.map(warning => [`${warning.code} ${warning.message}`, warning])).values(),
];
