import { describeAssignment } from '../config/assignment-text.ts';
import type { SweepPlan } from '../contracts/sweep.ts';
import { describeCut } from '../plan/early-stopping.ts';
import { exitCodes } from './exit-codes.ts';
import { findSweep } from './find-sweep.ts';
import { costOf, describeCost, type SweepCost } from './sweep-cost.ts';
import { describeSharing } from './sweep-text.ts';
import { formatTable } from './table.ts';
import { reportTrial, standingCuts, type TrialReport } from './trial-state.ts';

const decimals = (value: number | null | undefined, digits: number): string =>
  value === null || value === undefined ? '-' : value.toFixed(digits);

const describeState = ({ state, code, trial, cut }: TrialReport): string => {
  const told = state === 'cut' && cut !== null ? describeCut(cut) : state;
  return [trial.orphaned ? `${told}, orphaned` : told, ...(state === 'failed' && code !== null ? [code] : [])].join(
    ' ',
  );
};

/** `train 120/300 40 %`, `evaluate`, `100 %`. */
export const describeProgress = ({ state, progress: { stage, step, max_train_steps } }: TrialReport): string => {
  if (state === 'done') return '100 %';
  if (state === 'pending' || stage === null) return '-';
  if (stage !== 'train') return stage;
  return `train ${step}/${max_train_steps} ${Math.floor((100 * step) / max_train_steps)} %`;
};

const rowOf = (report: TrialReport): string[] => [
  report.trial.id,
  describeAssignment(report.trial.assignment),
  describeState(report),
  describeProgress(report),
  decimals(report.numbers?.secondary_px, 2),
  decimals(report.numbers?.scene_drift, 4),
  report.run.relativePath,
];

const head = ['trial', 'assignment', 'state', 'progress', 'error px', 'drift', 'run'];

/** Every trial in a line of a table, those that the file no longer asks for last. */
export const statusTable = (reports: readonly TrialReport[]): string => formatTable([head, ...reports.map(rowOf)]);

const jsonOf = ({ trial, run, state, code, message, cut, progress, numbers }: TrialReport): object => ({
  id: trial.id,
  assignment: trial.assignment,
  orphaned: trial.orphaned,
  state,
  code,
  message,
  cut,
  ...progress,
  percent: state === 'done' ? 100 : Math.floor((100 * progress.step) / progress.max_train_steps),
  keypoint_error_px: numbers?.secondary_px ?? null,
  scene_drift: numbers?.scene_drift ?? null,
  converged: numbers?.converged ?? null,
  run: run.relativePath,
});

/** How often each state occurs: `8 done, 1 failed`. */
export const countStates = (reports: readonly TrialReport[]): string => {
  const counts = new Map<string, number>();
  for (const { state } of reports) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].map(([state, count]) => `${count} ${state}`).join(', ');
};

export const costOfFinished = (reports: readonly TrialReport[]): Promise<SweepCost> =>
  costOf(reports.filter(({ state }) => state === 'done').map(({ run }) => run));

export const reportTrials = async (plan: Pick<SweepPlan, 'name' | 'sweep' | 'trials'>): Promise<TrialReport[]> => {
  const cuts = await standingCuts(plan);
  return Promise.all(plan.trials.map(trial => reportTrial(trial, cuts.get(trial.id))));
};

/**
 * `posetwin status <name|file>`: every trial of a frozen sweep with its state, how far it is and what it has reached,
 * from files alone. Answers 0; raises `usage` where there is no such sweep.
 */
export const showStatus = async (given: string, { json }: { json: boolean }): Promise<number> => {
  const { folder, plan } = await findSweep(given);
  const reports = await reportTrials(plan);
  const spent = await costOfFinished(reports);
  if (json) {
    const { name, file, stages, estimate } = plan;
    console.log(JSON.stringify({ name, file, stages, estimate, cost: spent, trials: reports.map(jsonOf) }, null, 2));
    return exitCodes.done;
  }
  console.log(`sweep ${plan.name} of ${plan.file}: ${describeSharing(plan)}; ${countStates(reports)}\n`);
  console.log(statusTable(reports));
  const cost = describeCost(spent);
  console.log(`\n${[cost, `what the trials print: ${folder.relativePath}/logs/`].filter(Boolean).join('\n')}`);
  return exitCodes.done;
};
