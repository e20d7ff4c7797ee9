import { relative } from 'node:path';
import type { SweepPlan } from '../contracts/sweep.ts';
import { toPosetwinError } from '../errors.ts';
import type { Measure } from '../report/compare-trials.ts';
import { compareSweep, hasEnded } from '../report/sweep/comparison.ts';
import { writeSweepReport } from '../report/sweep/write-sweep-report.ts';
import type { SweepFolder } from '../runs/index.ts';
import { describeError } from './exit-codes.ts';
import { readTrials } from './trial-record.ts';

/**
 * The lines that end a sweep: what its comparison comes to, and where its page is; none before a trial has ended. A page
 * that cannot be made is told and fails no sweep: `posetwin compare` makes it anew.
 */
export const reportSweep = async (
  plan: SweepPlan,
  folder: SweepFolder,
  by: Measure = 'keypoint_error_px',
): Promise<string[]> => {
  try {
    const comparison = compareSweep(plan, await readTrials(plan, folder.path), by);
    if (!hasEnded(comparison)) return [];
    const path = await writeSweepReport(comparison, folder.path);
    return [...(comparison.conclusion === null ? [] : [comparison.conclusion]), `report: ${relative('', path)}`];
  } catch (cause) {
    return [`no report of the sweep: ${describeError(toPosetwinError(cause))}`];
  }
};
