import type { PlannedStage } from '../plan/plan.ts';
import { describeDifference, differences, type StageRecord, type StageState, type Store } from '../runs/index.ts';

const maxDifferences = 4;

const listed = (parts: readonly string[]): string => {
  const shown = parts.slice(0, maxDifferences).join('; ');
  return parts.length > maxDifferences ? `${shown}; and ${parts.length - maxDifferences} more` : shown;
};

/** Long lists of numbers (the resolved schedule) say less than the settings that they come from. */
const isReadable = (value: unknown): boolean => (JSON.stringify(value) ?? '').length <= 60;

const changeOf = (record: StageRecord, stage: PlannedStage): string => {
  if (record.version !== stage.version) return `the stage's version is ${stage.version}, was ${record.version}`;
  const settings = differences(record.spec, stage.spec).filter(
    ({ before, after }) => isReadable(before) && isReadable(after),
  );
  if (settings.length > 0) return listed(settings.map(describeDifference));
  const inputs = differences(record.inputs, stage.inputs).map(({ path }) => path);
  return inputs.length > 0 ? `other ${inputs.join(', ')}` : 'a fresh run';
};

/** Why a stage would run, or would not: what a dry run prints beside its state. */
export const explainState = async (
  store: Store,
  stage: PlannedStage,
  code_digest: string,
): Promise<[StageState, string]> => {
  const state = store.state(stage);
  if (state === 'done') {
    const { code_digest: made } = await store.record(stage);
    return [state, made === code_digest ? 'nothing changed' : 'nothing changed but the code, which does not count'];
  }
  if (state === 'partial') return [state, 'begun earlier, goes on'];
  const newest = await store.newest(stage.name);
  return [state, newest === undefined ? 'never made here' : changeOf(newest, stage)];
};
