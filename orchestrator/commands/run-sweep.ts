import type { LoadedSweep } from '../config/sweep.ts';
import type { Experiment } from '../contracts/experiment.ts';
import type { SweepPlan, TrialCut } from '../contracts/sweep.ts';
import { PosetwinError } from '../errors.ts';
import type { Interrupts } from '../executors/local.ts';
import { LocalTrials } from '../executors/local-trials.ts';
import { SlurmTrials } from '../executors/slurm.ts';
import type { TrialCommand, TrialExecutor } from '../executors/trials.ts';
import { changeTrials } from '../plan/sweep.ts';
import type { StageName } from '../plan/versions.ts';
import { withLock } from '../processes/lock.ts';
import { Store, SweepFolder } from '../runs/index.ts';
import { exitCodes } from './exit-codes.ts';
import { catchInterrupts } from './interrupts.ts';
import { refuse } from './prepare.ts';
import { readNumbers } from './run-numbers.ts';
import { costOfFinished, countStates, reportTrials, statusTable } from './status.ts';
import { describeCost } from './sweep-cost.ts';
import { describeEstimate, type Measuring, measureSweep } from './sweep-estimate.ts';
import { type PreparedSweep, type PreparedTrial, prepareSweep } from './sweep-prepare.ts';
import { reportSweep } from './sweep-report.ts';
import { SweepRun, type TrialEnd } from './sweep-run.ts';
import { changeLines, describeSharing, describeSingular, nameOf } from './sweep-text.ts';
import { Pace, watchTrials } from './sweep-watch.ts';
import { standingCuts, stateOf } from './trial-state.ts';

export interface RunSweepOptions {
  fresh: boolean;
  /** two steps and a batch of pairs instead of the whole experiment */
  smoke: boolean;
  /** the last stage to go to; all stages and the report when left out */
  until?: StageName;
  json: boolean;
  failFast: boolean;
  maxFailures?: number;
  onlyFailed: boolean;
  /** on this machine, although the file has `slurm` */
  local: boolean;
  requireConverged: boolean;
  /** since when `budget_minutes` count, in milliseconds as of Date.now(); from now on when left out */
  since_ms?: number;
}

/** Lines for people on standard error, or one JSON object a line on standard output. */
interface Tell {
  line(text: string): void;
  event(event: object): void;
}

const tellOf = (json: boolean): Tell => ({
  line: text => (json ? undefined : console.error(text)),
  event: event => (json ? console.log(JSON.stringify({ time: Date.now() / 1000, ...event })) : undefined),
});

/** Long enough for the trials of a sweep that was killed to find out and end. */
const lockWaitMs = 2_000;
const firstBackoffMs = 5_000;
const minuteMs = 60_000;

/** Writes what is run before the first trial starts. What was frozen before stays; what the file adds comes to it. */
const freezePlan = async (folder: SweepFolder, { frozen }: PreparedSweep, tell: Tell): Promise<SweepPlan> => {
  const before = await folder.plan();
  const { trials, changes } = changeTrials(before?.trials ?? [], frozen.trials);
  const plan: SweepPlan = { ...frozen, estimate: before?.estimate ?? null, trials };
  await folder.writePlan(plan);
  tell.line(`sweep ${plan.name}: ${describeSharing(plan)}; plan in ${folder.relativePath}/plan.json`);
  if (before !== undefined) for (const line of changeLines(changes)) tell.line(line);
  for (const trial of frozen.trials)
    if (trial.singular.length > 0) tell.line(`  ${nameOf(trial)}: ${describeSingular(trial.singular)}`);
  const marked = changes.map(({ mark, trial: { id, assignment } }) => ({ mark, id, assignment }));
  tell.event({ type: 'sweep', name: plan.name, folder: folder.path, stages: plan.stages, trials: marked });
  return plan;
};

/** A done trial whose report is the one that its stages give now needs nothing; a divergence and a cut are results as well. */
const needsRun = async (
  { run, plan }: PreparedTrial,
  cut: TrialCut | undefined,
  onlyFailed: boolean,
): Promise<boolean> => {
  const status = await run.status();
  const state = stateOf(status, cut);
  if (onlyFailed) return state === 'failed';
  return state !== 'diverged' && state !== 'cut' && !(state === 'done' && status?.report === plan.stages.report.key);
};

const pendingOf = async (
  { trials, frozen }: PreparedSweep,
  { onlyFailed }: RunSweepOptions,
): Promise<PreparedTrial[]> => {
  const cuts = await standingCuts(frozen);
  const needed = await Promise.all(trials.map(trial => needsRun(trial, cuts.get(trial.trial.id), onlyFailed)));
  return trials.filter((_, index) => needed[index]);
};

/** As many machines and ranks as the larger of its trainings wants. */
const shapeOf = ({ train, primary }: Experiment): Pick<TrialCommand, 'nnodes' | 'nproc_per_node'> => ({
  nnodes: Math.max(train.nnodes, primary?.train.nnodes ?? 1),
  nproc_per_node: Math.max(train.nproc_per_node, primary?.train.nproc_per_node ?? 1),
});

const commandsFor =
  (folder: SweepFolder, { file, sweep }: SweepPlan, { until }: RunSweepOptions) =>
  ({ trial: { id, experiment } }: PreparedTrial): TrialCommand => ({
    id,
    args: [
      ...['run', file, '--trial', id],
      ...(sweep.early_stopping === null ? [] : ['--early-stopping']),
      ...(until === undefined ? [] : ['--until', until]),
    ],
    log: folder.log(id),
    ...shapeOf(experiment),
  });

const executorOf = (
  { slurm, frozen: { name, sweep } }: PreparedSweep,
  folder: SweepFolder,
  { local }: RunSweepOptions,
  { line: say }: Tell,
): TrialExecutor => {
  const { slots } = sweep;
  return slurm === null || local
    ? new LocalTrials({ slots })
    : new SlurmTrials({ name, folder: folder.slurm, slots, slurm, say });
};

const describeEnd = async ({ trial, attempt, judgement }: TrialEnd): Promise<string> => {
  const numbers = judgement === 'done' ? await readNumbers(trial.run) : undefined;
  const reached =
    numbers === undefined || numbers.secondary_px === null
      ? ''
      : `: keypoint error ${numbers.secondary_px.toFixed(2)} px`;
  const error = [attempt.code, attempt.message].filter(text => text !== null).join(' ');
  const cause = attempt.outcome !== 'failed' ? '' : `: ${error === '' ? `exit code ${attempt.exit_code}` : error}`;
  const result = judgement === 'cut' ? (attempt.message ?? judgement) : judgement;
  const words = judgement === 'retry' ? `${attempt.outcome}, tried again` : result;
  return `${nameOf(trial.trial)} ${words}${reached}${cause}`;
};

/** After its budget a sweep stops as by Ctrl-C. */
const withBudget = (
  interrupts: Interrupts,
  minutes: number | null,
  since_ms = Date.now(),
): Interrupts & { spent: AbortSignal | null } => {
  if (minutes === null) return { ...interrupts, spent: null };
  const spent = AbortSignal.timeout(Math.max(0, since_ms + minutes * minuteMs - Date.now()));
  return { ...interrupts, stop: AbortSignal.any([interrupts.stop, spent]), spent };
};

interface Ending {
  run: SweepRun;
  plan: SweepPlan;
  spent: boolean;
  requireConverged: boolean;
}

const why = { cancelled: 'stopped with a checkpoint saved', failures: 'stopped after too many failures' } as const;

const finish = async (
  { run, plan, spent, requireConverged }: Ending,
  folder: SweepFolder,
  tell: Tell,
): Promise<number> => {
  const reports = await reportTrials({ ...plan, trials: plan.trials.filter(({ orphaned }) => !orphaned) });
  tell.line(`\n${statusTable(reports)}\n\nsweep ${plan.name}: ${countStates(reports)}`);
  const cost = describeCost(await costOfFinished(reports));
  if (cost !== '') tell.line(cost);
  for (const line of await reportSweep(plan, folder)) tell.line(line);
  if (run.failed.size > 0)
    tell.line(`what the failed trials print: ${folder.relativePath}/logs/; the same command tries them again`);
  if (run.stopped !== undefined)
    tell.line(`${spent ? 'the budget is spent' : why[run.stopped]}; the same command goes on`);
  tell.event({ type: 'sweep_end', stopped: run.stopped ?? null, failed: [...run.failed] });
  if (run.stopped === 'cancelled') return exitCodes.interrupted;
  if (run.failed.size > 0) return exitCodes.failed;
  const unconverged = reports.some(({ numbers }) => numbers?.converged === false);
  return requireConverged && unconverged ? exitCodes.not_converged : exitCodes.done;
};

/** Into the frozen plan, before the first trial starts. */
const addEstimate = async (
  plan: SweepPlan,
  pending: readonly PreparedTrial[],
  measuring: Measuring,
  folder: SweepFolder,
  { line }: Tell,
): Promise<void> => {
  plan.estimate = await measureSweep(pending, measuring);
  if (plan.estimate === null) return;
  await folder.writePlan(plan);
  line(describeEstimate(plan.estimate));
};

const runTrials = async (prepared: PreparedSweep, folder: SweepFolder, options: RunSweepOptions): Promise<number> => {
  const tell = tellOf(options.json);
  const plan = await freezePlan(folder, prepared, tell);
  const pending = await pendingOf(prepared, options);
  const { sweep } = prepared.frozen;
  tell.line(`${pending.length} of ${prepared.trials.length} trials to run, ${sweep.slots} at a time`);
  const { release, named, ...caught } = catchInterrupts(tell.line);
  const interrupts = withBudget(caught, sweep.budget_minutes, options.since_ms);
  const work = {
    executor: executorOf(prepared, folder, options, tell),
    commandOf: commandsFor(folder, prepared.frozen, options),
  };
  const pace = new Pace(pending.length, sweep.slots);
  const run = new SweepRun({
    ...{ folder, ...work },
    max_failures: options.failFast ? 1 : (options.maxFailures ?? null),
    backoff_ms: firstBackoffMs,
    onEnd: async end => {
      const { id, assignment } = end.trial.trial;
      tell.line(`${await describeEnd(end)}${pace.describe(end.judgement)}`);
      tell.event({ type: 'trial', id, assignment, judgement: end.judgement, attempt: end.attempt });
    },
  });
  const stopWatching = watchTrials(pending, tell.line);
  try {
    const measuring = { ...work, slots: sweep.slots, store: new Store(), interrupts };
    if (plan.estimate === null && !options.smoke) await addEstimate(plan, pending, measuring, folder, tell);
    pace.begin();
    await run.run(pending, interrupts);
    const spent = interrupts.spent?.aborted ?? false;
    return await finish({ run, plan, spent, requireConverged: options.requireConverged }, folder, tell);
  } finally {
    stopWatching();
    release();
  }
};

const refuseFresh = (): PosetwinError =>
  new PosetwinError('usage', 'a sweep does not start over as a whole', {
    hint: '--trial <id> --fresh starts one trial over',
  });

/**
 * `posetwin run x.yaml` of a file with `sweep`: freezes the plan, then runs every trial that is not finished, each as
 * `posetwin run x.yaml --trial <id>`. The same command continues. Answers 0 done, 2 bad experiment, 3 a trial failed,
 * 4 one has not converged (with --require-converged), 130 interrupted. Raises `usage`, and `sweep_locked` where another
 * command runs this sweep.
 */
export const runSweep = async (loaded: LoadedSweep, options: RunSweepOptions): Promise<number> => {
  if (options.fresh) throw refuseFresh();
  const prepared = await prepareSweep(loaded, new Store());
  if (Array.isArray(prepared)) return refuse(prepared, options.json).exitCode;
  const folder = new SweepFolder(prepared.frozen.name);
  await folder.begin();
  return withLock(folder.lock, { code: 'sweep_locked', wait_ms: lockWaitMs }, () =>
    runTrials(prepared, folder, options),
  );
};
