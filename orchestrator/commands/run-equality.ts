/** Whether two runs have come to the same bits. */
import { join } from 'node:path';
import type { StepEvent } from '../contracts/events.ts';
import { EvaluateResult, TrainResult } from '../contracts/results.ts';
import { lastSteps, type RunFolder, readEvents, readJson } from '../runs/index.ts';

export interface Equality {
  what: 'weights' | 'losses' | 'held-out pairs';
  equal: boolean;
  detail: string;
}

/** What a step says of the method, its clock left out. */
const loggedOf = ({ visits, objective, grad_norm, learning_rate }: StepEvent): string =>
  JSON.stringify([visits, objective, grad_norm, learning_rate]);

const relativeDifference = (before: number | null, after: number | null): number =>
  before === after ? 0 : Math.abs((after ?? Number.NaN) - (before ?? Number.NaN)) / Math.abs(before ?? Number.NaN);

/** Of every logged number of every step. */
export const compareSteps = (before: readonly StepEvent[], after: readonly StepEvent[]): Equality => {
  const what = 'losses';
  if (before.length !== after.length)
    return { what, equal: false, detail: `${before.length} steps, and ${after.length}` };
  const first = before.findIndex((step, index) => loggedOf(step) !== (after[index] && loggedOf(after[index])));
  if (first === -1) return { what, equal: true, detail: `every number of ${before.length} steps` };
  const relative = before.map((step, index) => relativeDifference(step.objective, after[index]?.objective ?? null));
  const most = Math.max(...relative.filter(Number.isFinite));
  return {
    what,
    equal: false,
    detail: `from step ${before[first]?.step} on; the objective by at most ${most.toPrecision(2)} of itself`,
  };
};

type Pairs = EvaluateResult['pairs'];

const comparePairs = (before: Pairs, after: Pairs): Equality => {
  const what = 'held-out pairs';
  const same = before.filter((pair, index) => JSON.stringify(pair) === JSON.stringify(after[index])).length;
  const equal = same === before.length && before.length === after.length;
  return { what, equal, detail: equal ? `all ${same}` : `${same} of ${Math.max(before.length, after.length)}` };
};

const resultsOf = async (run: RunFolder) => {
  const [train, evaluate] = [await run.stageFolder('train'), await run.stageFolder('evaluate')];
  if (train === undefined || evaluate === undefined) return undefined;
  return {
    weights: (await readJson(join(train, 'result.json'), TrainResult)).adapter_sha256,
    steps: lastSteps(await readEvents(join(train, 'events.jsonl'))),
    pairs: (await readJson(join(evaluate, 'result.json'), EvaluateResult)).pairs,
  };
};

/** Weights, logged numbers and judged pictures of two finished runs; none where one has no result. */
export const compareResults = async (before: RunFolder, after: RunFolder): Promise<Equality[]> => {
  const [mine, theirs] = [await resultsOf(before), await resultsOf(after)];
  if (mine === undefined || theirs === undefined) return [];
  const equal = mine.weights === theirs.weights;
  const hashes = equal ? mine.weights.slice(0, 16) : `${mine.weights.slice(0, 8)}, and ${theirs.weights.slice(0, 8)}`;
  return [
    { what: 'weights', equal, detail: `sha256 ${hashes}` },
    compareSteps(mine.steps, theirs.steps),
    comparePairs(mine.pairs, theirs.pairs),
  ];
};

/** `weights: equal bit for bit (sha256 1a2b…)` */
export const describeEquality = ({ what, equal, detail }: Equality): string =>
  `${what}: ${equal ? 'equal bit for bit' : 'different'} (${detail})`;
