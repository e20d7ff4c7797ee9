import { resolve } from 'node:path';
import { didYouMean } from '../config/suggest.ts';
import { PosetwinError } from '../errors.ts';
import { type FoundSweep, listSweeps } from '../runs/index.ts';

/** The frozen sweep of this name, or of this experiment file. Raises `usage`. */
export const findSweep = async (given: string): Promise<FoundSweep> => {
  const sweeps = await listSweeps();
  const found =
    sweeps.find(({ folder }) => folder.name === given) ?? sweeps.find(({ plan }) => plan.file === resolve(given));
  if (found !== undefined) return found;
  const names = sweeps.map(({ folder }) => folder.name);
  const hint =
    names.length === 0 ? 'run an experiment with `sweep`, or with --sweep' : didYouMean(given, names, 'there are');
  throw new PosetwinError('usage', `there is no sweep '${given}' in runs/`, { hint });
};
