import { PosetwinError } from '../errors.ts';
import type { Measure } from '../report/compare-trials.ts';
import { compareSweep, countOutcomes, hasEnded, type SweepComparison } from '../report/sweep/comparison.ts';
import { numbersOf } from '../report/sweep/numbers.ts';
import { outcomeOf, type TrialRecord } from '../report/sweep/record.ts';
import { writeSweepReport } from '../report/sweep/write-sweep-report.ts';
import { legend, settingTable, trialTable } from './compare-text.ts';
import { exitCodes } from './exit-codes.ts';
import { findSweep } from './find-sweep.ts';
import { formatMarkdown, formatTable } from './table.ts';
import { readTrials } from './trial-record.ts';

export interface CompareOptions {
  by: 'error' | 'drift';
  json: boolean;
  markdown: boolean;
}

const measureOf: Record<CompareOptions['by'], Measure> = { error: 'keypoint_error_px', drift: 'scene_drift' };

const trialJson = (trial: TrialRecord): object => {
  const { measured, schedule, singular, loss, ...rest } = trial;
  return { ...rest, outcome: outcomeOf(trial), ...numbersOf(trial), loss };
};

const jsonOf = ({ name, by, settings, trials, conclusion }: SweepComparison, report: string): object => ({
  ...{ name, by, confidence: 0.95, report },
  finished: trials.filter(({ state }) => state === 'done').length,
  groups: settings.flatMap(({ ranked }) => ranked ?? []),
  trials: trials.map(trialJson),
  conclusion,
});

const markdownOf = (comparison: SweepComparison): string =>
  [formatMarkdown(settingTable(comparison)), formatMarkdown(trialTable(comparison)), ...legend, comparison.conclusion]
    .filter(text => text !== null)
    .join('\n\n');

const textOf = (comparison: SweepComparison): string => {
  const { name, trials, conclusion } = comparison;
  return [
    `sweep ${name}: ${trials.length} trials, ${countOutcomes(trials)}`,
    formatTable(settingTable(comparison)),
    formatTable(trialTable(comparison)),
    legend.join('\n'),
    ...(conclusion === null ? [] : [conclusion]),
  ].join('\n\n');
};

/**
 * `posetwin compare <name|file>`: the trials of a sweep, all seeds of one assignment together, ranked by the held-out
 * keypoint error or the scene drift of the secondary adapter, each against the best at the same seeds with a 95 %
 * bootstrap interval; and whether the best is more than noise. Writes runs/<name>/sweep/report.html. Answers 0; raises
 * `usage` where there is no such sweep, or none of its trials has ended.
 */
export const compareTrials = async (given: string, { by, json, markdown }: CompareOptions): Promise<number> => {
  if (json && markdown) throw new PosetwinError('usage', '--json and --markdown exclude each other');
  const { folder, plan } = await findSweep(given);
  const comparison = compareSweep(plan, await readTrials(plan, folder.path), measureOf[by]);
  if (!hasEnded(comparison))
    throw new PosetwinError('usage', `no trial of ${plan.name} is finished`, {
      hint: `posetwin status ${plan.name} shows how far they are`,
    });
  const report = await writeSweepReport(comparison, folder.path);
  if (json) console.log(JSON.stringify(jsonOf(comparison, report), null, 2));
  else if (markdown) console.log(markdownOf(comparison));
  else console.log(`${textOf(comparison)}\n\nreport: ${folder.relativePath}/report.html`);
  return exitCodes.done;
};
