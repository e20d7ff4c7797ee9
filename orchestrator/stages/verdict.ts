import { join } from 'node:path';
import { z } from 'zod';
import { EvaluateResult } from '../contracts/results.ts';
import { type AuditPoint, audit, type DetectorNumbers, verdict as judge, type Verdict } from '../convergence/index.ts';
import type { ReportData } from '../report/data.ts';
import { type EvaluationSummary, summarizeEvaluation } from '../report/summary.ts';
import { lastSteps, readEvents, readJson, writeJson } from '../runs/index.ts';
import { buildSchedule } from '../schedule/index.ts';
import type { Stage } from './stage.ts';
import { cycleOf } from './train.ts';

const fileName = 'convergence.json';

/** convergence.json */
export interface Convergence {
  verdict: Verdict;
  audit: AuditPoint[];
  /** share of each t in Q, index t - 1 */
  q_shares: number[];
}

const sceneDrift = ({ primary, secondary }: EvaluationSummary) =>
  primary.scene_drift === null || secondary.scene_drift === null
    ? null
    : { primary: primary.scene_drift.mean, secondary: secondary.scene_drift.mean };

const detectorNumbers = ({ secondary }: EvaluationSummary): DetectorNumbers => ({
  error_floor: null,
  in_loss_error_px: secondary.in_loss_error_px.mean,
  held_out_error_px: secondary.keypoint_error_px.mean,
  detection_rate: secondary.detection_rate.mean,
});

/** Plateau, ΔL, L*, achieved loss and the audit, from the logged unweighted terms and the evaluation. */
export const verdict: Stage = {
  name: 'verdict',
  async run({ store, plan }, folder) {
    const { seed, schedule, method, convergence, clamped_timesteps } = plan.stages.verdict.spec;
    const trained = plan.stages.train.spec.schedule;
    const steps = lastSteps(await readEvents(join(store.folder(plan.stages.train), 'events.jsonl')));
    const evaluated = await readJson(join(store.folder(plan.stages.evaluate), 'result.json'), EvaluateResult);
    const summary = summarizeEvaluation(evaluated);
    const options = { ...convergence, seed, cycle: cycleOf(trained), pose_residual: method.pose_residual };
    const table = buildSchedule(schedule);
    const found = judge(steps, trained.q, options);
    const points = audit({
      table,
      steps,
      verdict: found,
      objective: method.objective,
      clamped_timesteps,
      scene_drift: sceneDrift(summary),
      detector: detectorNumbers(summary),
    });
    const result: Convergence = { verdict: found, audit: points, q_shares: table.diagnostics.q_shares };
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
export const reportVerdict = ({ verdict: found, audit: points }: Convergence): ReportData['verdict'] => ({
  ...found,
  on_plateau: found.plateau === 'yes',
  achieved: found.achieved ?? unknownInterval,
  audit: points.map(({ point, verdict: word, sentence }) => ({ number: point, verdict: word, sentence })),
});
