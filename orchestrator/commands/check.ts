import { diagnose, type LoadOptions, type LoadResult, loadExperiment } from '../config/load.ts';
import { checkPlan } from '../plan/check.ts';

/** The experiment with everything checked that needs no Python: the file, then the schedule that it describes. */
export const checkExperiment = (file: string, options: LoadOptions): LoadResult => {
  const loaded = loadExperiment(file, options);
  if (!loaded.ok) return loaded;
  const diagnostics = checkPlan(loaded.experiment).map(issue => diagnose(loaded, issue));
  return diagnostics.length === 0 ? loaded : { ok: false, diagnostics };
};
