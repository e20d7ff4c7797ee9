import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { z } from 'zod';
import { EvaluateResult } from '../contracts/results.ts';
import type { SweepPlan, SweepTrial, TrialCut } from '../contracts/sweep.ts';
import { measuredOf, type TrialLoss, type TrialRecord } from '../report/sweep/record.ts';
import { chooseRun, type RunFolder, readJson, readJsonIfThere, readLines, StageRecord } from '../runs/index.ts';
import { readVerdict } from '../stages/verdict.ts';
import { standingCuts, stateOf } from './trial-state.ts';

/** As little of an event as tells what a training has cost: journals are long. */
const Sign = z.object({
  type: z.string(),
  time: z.number(),
  /** of `smoke` */
  peak_memory_bytes: z.number().nullish(),
});
type Sign = z.output<typeof Sign>;

/** Seconds of a worker over all its starts: what a killed one has spent counts until its last sign of life. */
export const workingSeconds = (signs: readonly Pick<Sign, 'type' | 'time'>[]): number => {
  let [sum, started] = [0, 0];
  for (const [index, { type, time }] of signs.entries()) {
    if (type === 'started') started = time;
    const next = signs[index + 1];
    if (next === undefined || next.type === 'started') sum += time - started;
  }
  return sum;
};

const peakMemoryMb = (signs: readonly Sign[]): number | null => {
  const peaks = signs.flatMap(({ peak_memory_bytes }) => peak_memory_bytes ?? []);
  return peaks.length === 0 ? null : Math.max(...peaks) / 2 ** 20;
};

const lossOf = async (folder: string): Promise<TrialLoss> => {
  const { refused, verdict } = await readVerdict(folder);
  const { plateau, converged, steps, q, delta_l, lower_bound, achieved } = verdict;
  return { refused, plateau, converged, steps, q, delta_l, lower_bound, achieved: achieved?.mean ?? null };
};

/** Of a training, finished or not. */
const signsOf = async (run: RunFolder): Promise<Sign[]> => {
  const folder = (await run.stageFolders())?.train;
  if (folder === undefined) return [];
  const path = resolve(run.path, folder);
  const file = [path, `${path}.partial`].map(place => join(place, 'events.jsonl')).find(place => existsSync(place));
  return file === undefined ? [] : readLines(file, Sign);
};

const costOf = async (run: RunFolder) => {
  const signs = await signsOf(run);
  const evaluated = await run.stageFolder('evaluate');
  const record = evaluated && (await readJsonIfThere(join(evaluated, 'stage.json'), StageRecord));
  return {
    train_seconds: signs.length === 0 ? null : workingSeconds(signs),
    evaluate_seconds: record ? record.seconds : null,
    peak_memory_mb: peakMemoryMb(signs),
  };
};

const resultOf = async (run: RunFolder): Promise<Pick<TrialRecord, 'measured' | 'loss'>> => {
  const [evaluated, judged] = [await run.stageFolder('evaluate'), await run.stageFolder('verdict')];
  if (evaluated === undefined || judged === undefined) return { measured: null, loss: null };
  const measured = measuredOf(await readJson(join(evaluated, 'result.json'), EvaluateResult));
  return { measured, loss: await lossOf(judged) };
};

const recordOf = async (trial: SweepTrial, cut: TrialCut | undefined, sweepFolder: string): Promise<TrialRecord> => {
  const { id, assignment, experiment, singular, orphaned } = trial;
  const { run } = chooseRun(experiment, { fresh: false });
  const status = await run.status();
  const isDone = status?.status === 'done';
  const page = run.file('report.html');
  return {
    ...{ id, assignment, singular, orphaned },
    seed: experiment.seed,
    schedule: experiment.schedule,
    state: stateOf(status, cut),
    code: status?.code ?? null,
    run: run.relativePath,
    report: isDone && existsSync(page) ? relative(sweepFolder, page) : null,
    ...(isDone ? await resultOf(run) : { measured: null, loss: null }),
    ...(await costOf(run)),
  };
};

/** Every trial of a frozen sweep with all that is known of it, from files alone. Raises `corrupt_file`. */
export const readTrials = async (
  plan: Pick<SweepPlan, 'name' | 'sweep' | 'trials'>,
  sweepFolder: string,
): Promise<TrialRecord[]> => {
  const cuts = await standingCuts(plan);
  const records: TrialRecord[] = [];
  // One after the other: the journals of hundreds of trials at once would fill the memory.
  for (const trial of plan.trials) records.push(await recordOf(trial, cuts.get(trial.id), sweepFolder));
  return records;
};
