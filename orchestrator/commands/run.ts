import { existsSync } from 'node:fs';
import type { LoadedExperiment } from '../config/load.ts';
import { loadSweep } from '../config/sweep.ts';
import { PosetwinError, toPosetwinError } from '../errors.ts';
import type { StageName } from '../plan/versions.ts';
import { thisProcess } from '../processes/lock.ts';
import { dieWithParent } from '../processes/parent.ts';
import {
  chooseRun,
  collectProvenance,
  describeDifference,
  differences,
  findTrial,
  latestRun,
  type RunFolder,
  type Status,
  Store,
  writeJson,
} from '../runs/index.ts';
import type { AskRule, RunContext } from '../stages/context.ts';
import { cachedStages, runStages } from '../stages/pipeline.ts';
import { packageVersions } from '../stages/preflight.ts';
import { type RunResult, readResult, writeRunReport } from '../stages/report.ts';
import { Services } from '../stages/services.ts';
import { collectWarnings } from '../stages/warnings.ts';
import { ruleFor } from './early-stopping.ts';
import { describeError, exitCodeOf, exitCodes, isInterruption } from './exit-codes.ts';
import { catchInterrupts } from './interrupts.ts';
import { showPlan } from './plan.ts';
import { loadChecked, makePlan } from './prepare.ts';
import { printConfig } from './print-config.ts';
import { makeReporter, type Reporter } from './reporter.ts';
import { type RunSweepOptions, runSweep } from './run-sweep.ts';
import { runSearch } from './search.ts';
import { inSize, refuseWithSmoke, searchInSize, sweepInSize } from './smoke.ts';
import { summaryLines } from './summary.ts';

export interface RunOptions extends RunSweepOptions {
  set: readonly string[];
  sweep: readonly string[];
  /** the id of a frozen trial, which is run instead of what the file says now */
  trial?: string;
  /** the rule of its sweep may cut the trial */
  earlyStopping: boolean;
  dryRun: boolean;
  printConfig: boolean;
}

export type ExecuteOptions = Pick<RunOptions, 'json' | 'until' | 'requireConverged'>;

/** An experiment and where its values come from: of a file, or frozen in the plan of a sweep. */
type Resolved = Pick<LoadedExperiment, 'experiment' | 'origins'>;

/** What differs from the last run of the same name: a changed experiment is a new run, and says what is new. */
const changesSince = async (run: RunFolder, { experiment }: Resolved): Promise<string[]> => {
  if ((await run.resolved()) !== undefined) return [];
  const before = await (await latestRun(experiment.name, run.id))?.resolved();
  return before === undefined ? [] : differences(before.experiment, experiment).map(describeDifference);
};

const begun = async (run: RunFolder): Promise<Status> => ({
  status: 'running',
  started: new Date().toISOString(),
  finished: null,
  report: (await run.status())?.report ?? null,
  code: null,
  message: null,
  process: thisProcess(),
});

const ended = (status: Status, state: Status['status'], error?: PosetwinError): Status => ({
  ...status,
  status: state,
  finished: new Date().toISOString(),
  code: error?.code ?? null,
  message: error?.message ?? null,
});

/** Stages, then the report, unless the run folder holds the very report that these stages give. */
const complete = async (context: RunContext, loaded: Resolved, status: Status): Promise<RunResult> => {
  const { plan, run } = context;
  const cached = cachedStages(context);
  const warnings = collectWarnings(context);
  await runStages(warnings.context);
  const key = plan.stages.report.key;
  if (status.report === key && existsSync(run.file('report.html'))) return readResult(run);
  const packages = await packageVersions(run);
  const provenance = await collectProvenance(process.argv.slice(2), status.started, packages);
  await writeJson(run.file('provenance.json'), provenance);
  const facts = { origins: loaded.origins, provenance, cached, warnings: await warnings.list() };
  const result = await writeRunReport(context, facts);
  status.report = key;
  return result;
};

/** The stages up to one of them, and where its result is. The run can go on from there at any time. */
const stopAfter = async (context: RunContext, status: Status, until: StageName): Promise<number> => {
  const { plan, run, store, emit } = context;
  await runStages(context, until);
  await run.writeStatus({ ...ended(status, 'interrupted'), message: `stopped after ${until}, as --until asked` });
  const planned = plan.stages[until];
  const where = planned === null ? 'this experiment has no such stage' : store.folder(planned);
  emit({ type: 'note', message: `stopped after ${until}: ${where}` });
  return exitCodes.done;
};

const finish = (result: RunResult, run: RunFolder, reporter: Reporter, options: ExecuteOptions): number => {
  for (const line of summaryLines(result)) reporter.say(line);
  reporter.say(`report: ${run.relativePath}/report.html`);
  if (options.json) console.log(JSON.stringify({ type: 'result', folder: run.path, result }));
  if (!options.requireConverged || result.verdict.converged) return exitCodes.done;
  reporter.say('not converged, and --require-converged was given');
  return exitCodes.not_converged;
};

const fail = (error: PosetwinError, reporter: Reporter, { json }: ExecuteOptions): number => {
  reporter.say(describeError(error));
  const { code, message, details, class: of } = error;
  const { cause, ...told } = details;
  if (json) console.log(JSON.stringify({ type: 'error', code, class: of, message, ...told }));
  return exitCodeOf(error);
};

/** The folder of a run, and what is told of how it differs from the last one of its name. */
export interface RunTarget {
  run: RunFolder;
  /** how often the experiment was started over before */
  fresh: number;
  changes: string[];
}

/** Runs an experiment to its end, or goes on with it, in the folder that `target` names. Answers as `runExperiment`. */
export const execute = async (
  file: string,
  loaded: Resolved,
  { run, fresh, changes }: RunTarget,
  options: ExecuteOptions,
  askRule?: AskRule,
): Promise<number> => {
  const { experiment, origins } = loaded;
  const store = new Store();
  await run.begin({ experiment, origins, fresh, file });
  const reporter = makeReporter({
    json: options.json,
    log: run.file('log.txt'),
    totalSteps: {
      train: experiment.train.max_train_steps,
      primary: experiment.primary?.train.max_train_steps ?? 0,
    },
  });
  reporter.emit({ type: 'run', name: run.name, id: run.id, folder: run.relativePath, changes });

  const { release, named, ...interrupts } = catchInterrupts(reporter.say);
  const onSetup = (line: string) => reporter.emit({ type: 'setup', line });
  const services = new Services({ onSetup, log: run.file('logs', 'bridge.log'), signal: interrupts.stop });
  const status = await begun(run);
  try {
    await run.writeStatus(status);
    const plan = await makePlan(loaded, fresh, store, services);
    await run.writePlan(plan, store);
    const asked = askRule === undefined ? {} : { askRule };
    const context = { experiment, plan, store, run, services, interrupts, emit: reporter.emit, ...asked };
    if (options.until !== undefined) return await stopAfter(context, status, options.until);
    const result = await complete(context, loaded, status);
    await run.writeStatus(ended(status, 'done'));
    return finish(result, run, reporter, options);
  } catch (cause) {
    const error = named(toPosetwinError(cause));
    await run.writeStatus(ended(status, isInterruption(error) ? 'interrupted' : 'failed', error));
    return fail(error, reporter, options);
  } finally {
    await services.close();
    release();
  }
};

const refuseWithTrial = (option: string): PosetwinError =>
  new PosetwinError('usage', `a trial is run as it was frozen: ${option} cannot be had with --trial`, {
    hint: 'change the file and run the sweep, which adds what is new to its plan',
  });

const unknownTrial = (file: string, id: string): PosetwinError =>
  new PosetwinError('usage', `no sweep of ${file} in runs/ has a trial '${id}'`, {
    hint: 'posetwin status lists the trials; the command of the sweep itself makes its plan',
  });

/** `--trial <id>`: the experiment as it was frozen, whatever the file says by now. Raises `usage`. */
const runTrial = async (file: string, id: string, options: RunOptions): Promise<number> => {
  const { set, sweep, dryRun, printConfig: print } = options;
  const given = { '--set': set.length > 0, '--sweep': sweep.length > 0, '--dry-run': dryRun, '--print-config': print };
  for (const [option, isGiven] of Object.entries(given)) if (isGiven) throw refuseWithTrial(option);
  const stopWatching = dieWithParent();
  try {
    const trial = await findTrial(file, id);
    if (trial === undefined) throw unknownTrial(file, id);
    const resolved = inSize(trial, options);
    // A trial differs from the one before it by design.
    const target = { ...chooseRun(resolved.experiment, options), changes: [] };
    const rule = options.earlyStopping && !options.smoke ? await ruleFor(trial) : undefined;
    return await execute(file, resolved, target, options, rule);
  } finally {
    stopWatching();
  }
};

const refuseWithoutTrial = (): PosetwinError =>
  new PosetwinError('usage', '--early-stopping has no effect without --trial', {
    hint: 'a file with `sweep.early_stopping` has a rule for all of its trials',
  });

/** Flags that would have no effect. Raises `usage`. */
const refuseWithoutSweep = ({ failFast, maxFailures, onlyFailed, local }: RunOptions): void => {
  const limits = { '--fail-fast': failFast, '--max-failures': maxFailures !== undefined };
  const given = { ...limits, '--only-failed': onlyFailed, '--local': local };
  for (const [option, isGiven] of Object.entries(given))
    if (isGiven)
      throw new PosetwinError('usage', `${option} has no effect: this is no sweep`, {
        hint: 'a file with `sweep`, or --sweep, makes one',
      });
};

/**
 * `posetwin run x.yaml`: assemble, cache, train, evaluate, verdict, figures, report. The same command again continues
 * or says what is there. With `sweep`, in the file or on the command line, every trial.
 * Answers 0 done, 2 bad experiment, 3 a stage or a trial failed, 4 not converged, 5 a trial that was cut,
 * 130 interrupted.
 */
export const runExperiment = async (file: string, options: RunOptions): Promise<number> => {
  if (options.trial !== undefined) return runTrial(file, options.trial, options);
  if (options.earlyStopping) throw refuseWithoutTrial();
  if (options.smoke && (options.printConfig || options.dryRun)) throw refuseWithSmoke();
  if (options.printConfig) return printConfig(file, options);
  if (options.dryRun) return showPlan(file, options);
  const sweep = loadSweep(file, options);
  if (sweep?.ok && sweep.search !== null) return runSearch(searchInSize(sweep.search, options), options);
  if (sweep !== undefined) return runSweep(sweepInSize(sweep, options), options);
  refuseWithoutSweep(options);
  const loaded = loadChecked(file, options);
  if ('exitCode' in loaded) return loaded.exitCode;
  const resolved = inSize(loaded, options);
  const chosen = chooseRun(resolved.experiment, options);
  return execute(file, resolved, { ...chosen, changes: await changesSince(chosen.run, resolved) }, options);
};
