import { type LoadedSweep, loadSweep, type Search, type SweepOptions } from '../config/sweep.ts';
import { SweepFolder } from '../runs/index.ts';

/** A search with the trials that it has chosen so far: those of its frozen plan. */
export const withFrozen = async (search: Search): Promise<LoadedSweep> => {
  const plan = await new SweepFolder(search.name).plan();
  return search.withTrials((plan?.trials ?? []).map(({ assignment }) => assignment));
};

/** The sweep of a file; of a search as far as it has got. */
export const loadFrozen = async (file: string, options: SweepOptions): Promise<LoadedSweep | undefined> => {
  const loaded = loadSweep(file, options);
  return loaded?.ok && loaded.search !== null ? withFrozen(loaded.search) : loaded;
};
