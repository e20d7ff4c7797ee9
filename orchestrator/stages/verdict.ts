import { join } from 'node:path';
import { z } from 'zod';
import type { WorkerEvent } from '../contracts/events.ts';
import { AuditResult, EvaluateResult, TrainResult } from '../contracts/results.ts';
import { type AuditPoint, audit, type DetectorNumbers, verdict as judge, type Verdict } from '../convergence/index.ts';
import type { ReportData } from '../report/data.ts';
import { type EvaluationSummary, summarizeEvaluation } from '../report/summary.ts';
import { lastSteps, readEvents, readJson, writeJson } from '../runs/index.ts';
import { buildSchedule, everyQ, type ScheduleTable } from '../schedule/index.ts';
import type { Stage } from './stage.ts';
import { cycleOf, seriesOptions } from './train.ts';

const fileName = 'convergence.json';

/** convergence.json */
export interface Convergence {
  verdict: Verdict;
  audit: AuditPoint[];
  /** share of each t in Q, index t - 1 */
  q_shares: number[];
  /** the gradient self-test found nothing to train with under this schedule: no step was made */
  refused: boolean;
}

const sceneDrift = ({ primary, secondary }: EvaluationSummary) =>
  primary.scene_drift === null || secondary.scene_drift === null
    ? null
    : { primary: primary.scene_drift.mean, secondary: secondary.scene_drift.mean };

const detectorNumbers = ({ secondary }: EvaluationSummary): DetectorNumbers => ({
  in_loss_error_px: secondary.in_loss_error_px.mean,
  held_out_error_px: secondary.keypoint_error_px.mean,
  detection_rate: secondary.detection_rate.mean,
});

/** Every reading of Q that this schedule has a value for. */
const readingsOf = (table: ScheduleTable) =>
  Object.fromEntries(Object.entries(everyQ(table)).flatMap(([name, q]) => (q === null ? [] : [[name, q] as const])));

type EventOf<T extends WorkerEvent['type']> = Extract<WorkerEvent, { type: T }>;

/** The events of one type; of those with the same name the last, since a resumed worker measures some again. */
const lastOf = <T extends WorkerEvent['type']>(
  events: readonly WorkerEvent[],
  type: T,
  name: (event: EventOf<T>) => string,
): EventOf<T>[] => {
  const isWanted = (event: WorkerEvent): event is EventOf<T> => event.type === type;
  return [...new Map(events.filter(isWanted).map(event => [name(event), event])).values()];
};

/** Both sides of Eq. 33 throughout a training. */
export const gradientsOf = (events: readonly WorkerEvent[]): EventOf<'gradients'>[] =>
  lastOf(events, 'gradients', ({ step, t }) => `${step} ${t}`);

/** Held-out losses during a training, in order. */
export const validationsOf = (events: readonly WorkerEvent[]): EventOf<'validation'>[] =>
  lastOf(events, 'validation', ({ step }) => `${step}`);

/** Plateau, ΔL, L*, achieved loss and the audit, from the logged unweighted terms and the evaluation. */
export const verdict: Stage = {
  name: 'verdict',
  async run({ store, plan }, folder) {
    const { seed, schedule, method, convergence, clamped_timesteps } = plan.stages.verdict.spec;
    const trained = plan.stages.train.spec.schedule;
    const events = await readEvents(join(store.folder(plan.stages.train), 'events.jsonl'));
    const steps = lastSteps(events);
    const measured = await readJson(join(store.folder(plan.stages.audit), 'result.json'), AuditResult);
    const evaluated = await readJson(join(store.folder(plan.stages.evaluate), 'result.json'), EvaluateResult);
    const summary = summarizeEvaluation(evaluated);
    const table = buildSchedule(schedule);
    const found = judge(steps, trained.q, {
      ...seriesOptions({ seed, convergence, schedule: trained, method }),
      pose_residual: method.pose_residual,
      scale: method.total === 'sum' ? cycleOf(trained) : 1,
      q_readings: readingsOf(table),
    });
    const points = audit({
      table,
      steps,
      verdict: found,
      method,
      clamped_timesteps,
      scene_drift: sceneDrift(summary),
      detector: detectorNumbers(summary),
      measured,
      gradients: gradientsOf(events),
      gate: lastOf(events, 'gradient_gate', ({ term, t }) => `${term} ${t}`),
    });
    const { refused } = await readJson(join(store.folder(plan.stages.train), 'result.json'), TrainResult);
    const result: Convergence = { verdict: found, audit: points, q_shares: table.diagnostics.q_shares, refused };
    await writeJson(join(folder, fileName), result);
  },
};

const isConvergence = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'verdict' in value && 'audit' in value && 'q_shares' in value;

/** What the stage wrote into its folder. Raises `corrupt_file`. */
export const readVerdict = (folder: string): Promise<Convergence> =>
  readJson(join(folder, fileName), z.custom<Convergence>(isConvergence));

const unknownInterval = { mean: Number.NaN, low: Number.NaN, high: Number.NaN };

/** The verdict in the words of the report. */
export const reportVerdict = ({ verdict: found, audit: points, refused }: Convergence): ReportData['verdict'] => ({
  ...found,
  refused,
  on_plateau: found.plateau === 'yes',
  achieved: found.achieved ?? unknownInterval,
  audit: points.map(({ point, ...rest }) => ({ number: point, ...rest })),
});
