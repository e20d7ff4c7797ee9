import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { WorkerEvent } from '../contracts/events.ts';
import { EvaluateResult } from '../contracts/results.ts';
import type { SweepPlan } from '../contracts/sweep.ts';
import { measuredOf, type TrialLoss, type TrialRecord } from '../report/sweep/record.ts';
import { type RunFolder, readEvents, readJson, readJsonIfThere, StageRecord } from '../runs/index.ts';
import { readVerdict } from '../stages/verdict.ts';
import { reportTrial, type TrialReport } from './trial-state.ts';

/** Seconds of a worker over all its starts: what a killed one has spent counts until its last sign of life. */
export const workingSeconds = (events: readonly WorkerEvent[]): number => {
  let [sum, started] = [0, 0];
  for (const [index, { type, time }] of events.entries()) {
    if (type === 'started') started = time;
    const next = events[index + 1];
    if (next === undefined || next.type === 'started') sum += time - started;
  }
  return sum;
};

const peakMemoryMb = (events: readonly WorkerEvent[]): number | null => {
  const peaks = events.flatMap(event => (event.type === 'smoke' ? (event.peak_memory_bytes ?? []) : []));
  return peaks.length === 0 ? null : Math.max(...peaks) / 2 ** 20;
};

const lossOf = async (folder: string): Promise<TrialLoss> => {
  const { refused, verdict } = await readVerdict(folder);
  const { plateau, converged, steps, q, delta_l, lower_bound, achieved } = verdict;
  return { refused, plateau, converged, steps, q, delta_l, lower_bound, achieved: achieved?.mean ?? null };
};

/** The events of a training, finished or not. */
const trainingEvents = async (run: RunFolder): Promise<WorkerEvent[]> => {
  const folder = (await run.stageFolders())?.train;
  if (folder === undefined) return [];
  const path = resolve(run.path, folder);
  const file = [path, `${path}.partial`].map(place => join(place, 'events.jsonl')).find(place => existsSync(place));
  return file === undefined ? [] : readEvents(file);
};

const costOf = async (run: RunFolder) => {
  const events = await trainingEvents(run);
  const evaluated = await run.stageFolder('evaluate');
  const record = evaluated && (await readJsonIfThere(join(evaluated, 'stage.json'), StageRecord));
  return {
    train_seconds: events.length === 0 ? null : workingSeconds(events),
    evaluate_seconds: record ? record.seconds : null,
    peak_memory_mb: peakMemoryMb(events),
  };
};

const resultOf = async ({ run, state }: TrialReport): Promise<Pick<TrialRecord, 'measured' | 'loss'>> => {
  const [evaluated, judged] = [await run.stageFolder('evaluate'), await run.stageFolder('verdict')];
  if (state !== 'done' || evaluated === undefined || judged === undefined) return { measured: null, loss: null };
  const measured = measuredOf(await readJson(join(evaluated, 'result.json'), EvaluateResult));
  return { measured, loss: await lossOf(judged) };
};

const recordOf = async (report: TrialReport, sweepFolder: string): Promise<TrialRecord> => {
  const { trial, run, state, code } = report;
  const { id, assignment, experiment, singular, orphaned } = trial;
  const page = run.file('report.html');
  return {
    ...{ id, assignment, singular, orphaned, state, code },
    seed: experiment.seed,
    schedule: experiment.schedule,
    run: run.relativePath,
    report: state === 'done' && existsSync(page) ? relative(sweepFolder, page) : null,
    ...(await resultOf(report)),
    ...(await costOf(run)),
  };
};

/** Every trial of a frozen sweep with all that is known of it, from files alone. Raises `corrupt_file`. */
export const readTrials = async (
  { trials }: Pick<SweepPlan, 'trials'>,
  sweepFolder: string,
): Promise<TrialRecord[]> => {
  const records: TrialRecord[] = [];
  // One after the other: the journals of hundreds of trials at once would fill the memory.
  for (const trial of trials) records.push(await recordOf(await reportTrial(trial), sweepFolder));
  return records;
};
