import { diagnose, type LoadOptions, type LoadResult, loadExperiment } from '../config/load.ts';
import { checkPlan } from '../plan/check.ts';

/** What was loaded, with the schedule that it describes checked as well. */
export const checkLoaded = (loaded: LoadResult): LoadResult => {
  if (!loaded.ok) return loaded;
  const diagnostics = checkPlan(loaded.experiment).map(issue => diagnose(loaded, issue));
  return diagnostics.length === 0 ? loaded : { ok: false, diagnostics };
};

/** The experiment with everything checked that needs no Python: the file, then the schedule that it describes. */
export const checkExperiment = (file: string, options: LoadOptions): LoadResult =>
  checkLoaded(loadExperiment(file, options));
