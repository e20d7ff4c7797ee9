import { resolve } from 'node:path';
import { z } from 'zod';
import type { Experiment } from '../contracts/experiment.ts';
import { Origins } from '../contracts/origin.ts';
import { PosetwinError } from '../errors.ts';
import { runId } from '../plan/run-id.ts';
import {
  chooseRun,
  collectProvenance,
  type Difference,
  describeDifference,
  type Resolved,
  RunFolder,
  Store,
} from '../runs/index.ts';
import { exitCodes } from './exit-codes.ts';
import { findRun, lastFinished } from './find-run.ts';
import { mainNumbers, numbersTable } from './main-numbers.ts';
import { makePlan } from './prepare.ts';
import { execute } from './run.ts';
import { compareResults, describeEquality } from './run-equality.ts';
import {
  compareStages,
  compareSurroundings,
  plannedStages,
  recordedStages,
  recordedSurroundings,
  surroundingsOf,
} from './run-facts.ts';
import { withServices } from './with-services.ts';

export interface ReplayOptions {
  json: boolean;
}

interface Since {
  surroundings: { differences: Difference[]; unknown: string[] };
  stages: Difference[];
}

const nameOf = ({ name, id }: RunFolder): string => `${name}/${id}`;

/** What is no longer as it was when the run was made. */
const changesSince = (run: RunFolder, { experiment, fresh }: Resolved): Promise<Since> =>
  withServices(async services => {
    const environment = await (await services.bridge()).call('probe_environment', {});
    const now = await collectProvenance([], new Date().toISOString(), {});
    const then = await recordedSurroundings(run);
    // Where training will run is known when it does: the devices are what can be compared before.
    const surroundings = compareSurroundings(then, surroundingsOf(now, environment, then.trained_on));
    const stages = plannedStages(await makePlan({ experiment }, fresh, new Store(), services));
    const before = await recordedStages(run);
    return {
      surroundings,
      stages: before === undefined ? [] : compareStages(before, stages, { withSpecs: true }),
    };
  });

/** A replay that was begun and stopped goes on; else a new folder, also where this version resolves to another id. */
export const replayTarget = async (
  experiment: Experiment,
  replayed: RunFolder,
): Promise<{ run: RunFolder; fresh: number }> => {
  const latest = chooseRun(experiment, { fresh: false });
  const status = latest.fresh === 0 || latest.run.id === replayed.id ? undefined : await latest.run.status();
  if (status !== undefined && status.status !== 'done') return latest;
  const next = chooseRun(experiment, { fresh: true });
  if (next.fresh > 0) return next;
  return { run: new RunFolder(resolve('runs'), experiment.name, runId(experiment, 1)), fresh: 1 };
};

const readable = ({ before, after }: Difference): boolean => JSON.stringify([before, after]).length <= 200;

const sinceLines = ({ surroundings, stages }: Since): string[] => {
  const all = [...surroundings.differences, ...stages];
  const lines = all.map(change => (readable(change) ? describeDifference(change) : `${change.path}: differs`));
  const { unknown } = surroundings;
  const known =
    lines.length === 0 ? ['nothing differs from then'] : ['differs from then:', ...lines.map(line => `  ${line}`)];
  return unknown.length === 0 ? known : [...known, `  not recorded then: ${unknown.join(', ')}`];
};

const tellResult = async (
  before: RunFolder,
  after: RunFolder,
  since: Since,
  { json }: ReplayOptions,
): Promise<void> => {
  const equality = await compareResults(before, after);
  const [then, now] = [await mainNumbers(before), await mainNumbers(after)];
  if (json) {
    const numbers = { before: then ?? null, after: now ?? null };
    const names = { before: nameOf(before), after: nameOf(after) };
    console.log(JSON.stringify({ type: 'replay', ...names, since, equality, numbers }));
    return;
  }
  if (then === undefined || now === undefined || equality.length === 0) {
    console.log(`${nameOf(before)} has no result to compare with`);
    return;
  }
  console.log(`\n${numbersTable([nameOf(before), nameOf(after)], then, now)}\n`);
  console.log(equality.map(describeEquality).join('\n'));
};

/**
 * `posetwin replay <run>`: says what differs from when an earlier run was made, runs its resolved experiment again from
 * nothing in a folder of its own, and compares the two. The same command goes on with a replay that was stopped.
 * Answers as `posetwin run`; raises `usage` where there is no such run.
 */
export const replay = async (given: string, options: ReplayOptions): Promise<number> => {
  const before = (await lastFinished(given)) ?? (await findRun(given));
  const resolved = await before.resolved();
  if (resolved === undefined) throw new PosetwinError('bug', `${nameOf(before)} has lost its experiment`);
  const since = await changesSince(before, resolved);
  if (!options.json) for (const line of sinceLines(since)) console.log(line);
  const target = await replayTarget(resolved.experiment, before);
  // Origins that this version cannot read are no reason not to run what it can.
  const origins = Origins.or(z.unknown().transform(() => ({}))).parse(resolved.origins);
  const { experiment, file } = resolved;
  const settings = { json: options.json, requireConverged: false };
  const exitCode = await execute(file, { experiment, origins }, { ...target, changes: [] }, settings);
  if (exitCode === exitCodes.done) await tellResult(before, target.run, since, options);
  return exitCode;
};
