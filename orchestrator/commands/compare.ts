import { join } from 'node:path';
import { describeAssignment } from '../config/sweep-diagnostics.ts';
import { EvaluateResult } from '../contracts/results.ts';
import type { SweepTrial } from '../contracts/sweep.ts';
import type { Interval } from '../convergence/bootstrap.ts';
import { PosetwinError } from '../errors.ts';
import {
  type Against,
  type Measure,
  type RankedGroup,
  rankTrials,
  type TrialResult,
} from '../report/compare-trials.ts';
import { chooseRun, readJson } from '../runs/index.ts';
import { exitCodes } from './exit-codes.ts';
import { findSweep } from './find-sweep.ts';
import { formatTable } from './table.ts';

export interface CompareOptions {
  by: 'error' | 'drift';
  json: boolean;
}

const measureOf: Record<CompareOptions['by'], Measure> = { error: 'keypoint_error_px', drift: 'scene_drift' };

/** undefined before the trial's end. */
const resultOf = async ({ experiment, assignment }: SweepTrial): Promise<TrialResult | undefined> => {
  const { run } = chooseRun(experiment, { fresh: false });
  const folder = (await run.status())?.status === 'done' ? await run.stageFolder('evaluate') : undefined;
  if (folder === undefined) return undefined;
  const { pairs } = await readJson(join(folder, 'result.json'), EvaluateResult);
  return {
    assignment,
    seed: experiment.seed,
    keypoint_error_px: pairs.map(({ secondary }) => secondary.keypoint_error_px),
    scene_drift: pairs.flatMap(({ secondary }) => secondary.scene_drift ?? []),
  };
};

const interval = ({ mean, low, high }: Interval, digits: number): string =>
  `${mean.toFixed(digits)} [${low.toFixed(digits)}, ${high.toFixed(digits)}]`;

const difference = (against: Against | null, digits: number): string =>
  against === null
    ? '-'
    : `${interval({ ...against, mean: against.mean_difference }, digits)} ${against.judgement}, by ${against.paired_by}`;

const digitsOf: Record<Measure, number> = { keypoint_error_px: 2, scene_drift: 4 };

const rowOf = (group: RankedGroup, measure: Measure): string[] => [
  String(group.rank.keypoint_error_px ?? '-'),
  String(group.rank.scene_drift ?? '-'),
  describeAssignment(group.assignment) || '(the experiment as it is)',
  group.seeds.join(','),
  interval(group.keypoint_error_px, digitsOf.keypoint_error_px),
  group.scene_drift === null ? '-' : interval(group.scene_drift, digitsOf.scene_drift),
  difference(group.against_best, digitsOf[measure]),
];

const head = ['by error', 'by drift', 'assignment', 'seeds', 'error px', 'scene drift', 'minus the best'];

/**
 * `posetwin compare <name|file>`: the finished trials of a sweep, all seeds of one assignment together, ranked by the
 * held-out keypoint error or the scene drift of the secondary adapter, each against the best at the same seeds with a
 * 95 % bootstrap interval. Answers 0; raises `usage` where there is no such sweep, or no finished trial.
 */
export const compareTrials = async (given: string, { by, json }: CompareOptions): Promise<number> => {
  const { plan } = await findSweep(given);
  const trials = plan.trials.filter(({ orphaned }) => !orphaned);
  const results = (await Promise.all(trials.map(resultOf))).filter(result => result !== undefined);
  if (results.length === 0)
    throw new PosetwinError('usage', `no trial of ${plan.name} is finished`, {
      hint: `posetwin status ${plan.name} shows how far they are`,
    });
  const measure = measureOf[by];
  const groups = rankTrials(results, measure);
  if (json) {
    const counts = { finished: results.length, trials: trials.length };
    console.log(JSON.stringify({ name: plan.name, by: measure, confidence: 0.95, ...counts, groups }, null, 2));
    return exitCodes.done;
  }
  console.log(`sweep ${plan.name}: ${results.length} of ${trials.length} trials finished; intervals of 95 %\n`);
  console.log(formatTable([head, ...groups.map(group => rowOf(group, measure))]));
  return exitCodes.done;
};
