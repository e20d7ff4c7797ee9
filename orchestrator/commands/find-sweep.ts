import { resolve } from 'node:path';
import { didYouMean } from '../config/suggest.ts';
import { PosetwinError } from '../errors.ts';
import { type FoundSweep, listSweeps } from '../runs/index.ts';

const among = (sweeps: readonly FoundSweep[], given: string): FoundSweep | undefined =>
  sweeps.find(({ folder }) => folder.name === given) ?? sweeps.find(({ plan }) => plan.file === resolve(given));

/** The frozen sweep of this name, or of this experiment file; undefined where there is none. */
export const sweepCalled = async (given: string): Promise<FoundSweep | undefined> => among(await listSweeps(), given);

/** The same. Raises `usage` where there is none. */
export const findSweep = async (given: string): Promise<FoundSweep> => {
  const sweeps = await listSweeps();
  const found = among(sweeps, given);
  if (found !== undefined) return found;
  const names = sweeps.map(({ folder }) => folder.name);
  const hint =
    names.length === 0 ? 'run an experiment with `sweep`, or with --sweep' : didYouMean(given, names, 'there are');
  throw new PosetwinError('usage', `there is no sweep '${given}' in runs/`, { hint });
};
