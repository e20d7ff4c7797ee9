/** What a sweep will cost, from a run of two steps. */
import { join } from 'node:path';
import type { WorkerEvent } from '../contracts/events.ts';
import type { SweepEstimate } from '../contracts/sweep.ts';
import type { Interrupts } from '../executors/local.ts';
import type { TrialCommand, TrialExecutor } from '../executors/trials.ts';
import { type Plan, stagesOf } from '../plan/plan.ts';
import { estimateStages, type SmokeTimes, smokeOf } from '../plan/smoke.ts';
import { readEvents, type Store } from '../runs/index.ts';
import { makePlan } from './prepare.ts';
import type { PreparedTrial } from './sweep-prepare.ts';
import { formatDuration } from './table.ts';

/** Of a mean step; null where there was none. */
const stepSeconds = (events: readonly WorkerEvent[]): number | null => {
  const steps = events.flatMap(event =>
    event.type === 'step' || event.type === 'primary_step' ? [event.duration_ms / 1000] : [],
  );
  return steps.length === 0 ? null : steps.reduce((sum, step) => sum + step, 0) / steps.length;
};

/** What the stages of a smoke run took, as far as it got. */
const readTimes = async (smoke: Plan, store: Store): Promise<SmokeTimes> => {
  const times: SmokeTimes = { stages: {}, steps: { primary: null, train: null } };
  for (const stage of stagesOf(smoke).filter(planned => store.state(planned) === 'done')) {
    const { name } = stage;
    times.stages[name] = (await store.record(stage)).seconds;
    if (name === 'train' || name === 'primary')
      times.steps[name] = stepSeconds(await readEvents(join(store.folder(stage), 'events.jsonl')));
  }
  return times;
};

/** Seconds of every stage that is to do, shared ones once. */
const secondsToDo = (trials: readonly PreparedTrial[], measured: PreparedTrial, times: SmokeTimes, store: Store) => {
  const seconds = new Map<string, number>();
  for (const { trial, plan } of trials) {
    const guessed = estimateStages(trial.experiment, measured.trial.experiment, times);
    for (const stage of stagesOf(plan))
      if (store.state(stage) !== 'done') seconds.set(`${stage.name} ${stage.key}`, guessed[stage.name] ?? 0);
  }
  return [...seconds.values()].reduce((sum, one) => sum + one, 0);
};

/** For `slots` trials at a time, from the smoke run of `measured`; null where that did not get as far as a training. */
const estimateSweep = async (
  trials: readonly PreparedTrial[],
  measured: PreparedTrial,
  slots: number,
  store: Store,
): Promise<SweepEstimate | null> => {
  const smoke = await makePlan({ experiment: smokeOf(measured.trial.experiment) }, 0, store);
  const times = await readTimes(smoke, store);
  if (times.steps.train === null) return null;
  const seconds = secondsToDo(trials, measured, times, store) / Math.min(slots, trials.length);
  return { trial: measured.trial.id, step_seconds: times.steps.train, seconds };
};

/** `about 1 h 35 min at 0.8 s a step, by a run of two steps of 1a2b3c4d` */
export const describeEstimate = ({ trial, step_seconds, seconds }: SweepEstimate): string =>
  `about ${formatDuration(seconds)} at ${step_seconds.toPrecision(2)} s a step, by a run of two steps of ${trial}`;

/** Fewer trials are run sooner than measured. */
const fewestTrials = 4;

export interface Measuring {
  executor: TrialExecutor;
  commandOf: (trial: PreparedTrial) => TrialCommand;
  slots: number;
  store: Store;
  interrupts: Interrupts;
}

/**
 * Runs the first of `trials` in small, by the executor that will run all of them, and guesses from it what they take. Null
 * where they are few, hold no training, or the small run does not get that far: the trials themselves will say why.
 */
export const measureSweep = async (
  trials: readonly PreparedTrial[],
  { executor, commandOf, slots, store, interrupts }: Measuring,
): Promise<SweepEstimate | null> => {
  const untrained = trials.filter(({ plan }) => store.state(plan.stages.train) !== 'done');
  const [first] = untrained;
  if (first === undefined || untrained.length < fewestTrials) return null;
  const { args, log, ...command } = commandOf(first);
  const id = `${command.id}-smoke`;
  const small = { ...command, id, args: [...args, '--smoke'], log: log.replace(command.id, id) };
  await executor.run([small], () => undefined, interrupts);
  return interrupts.stop.aborted ? null : estimateSweep(trials, first, slots, store);
};
