import { type Diagnostic, formatDiagnostics } from '../config/diagnostics.ts';
import { diagnose, type LoadedExperiment, loadPart } from '../config/load.ts';
import { PosetwinError } from '../errors.ts';
import { checkLoaded } from './check.ts';
import { exitCodes } from './exit-codes.ts';
import { reportSchedule, type ScheduleReport } from './schedule-report.ts';
import { scheduleLines } from './schedule-text.ts';

export interface ScheduleOptions {
  set: readonly string[];
  /** one JSON object instead of text */
  json: boolean;
}

/** What is found only beside the backbone, as a diagnostic too: at its line and column. */
const reportOrDiagnostics = async (loaded: LoadedExperiment): Promise<ScheduleReport | Diagnostic[]> => {
  try {
    return await reportSchedule(loaded.experiment);
  } catch (error) {
    if (!(error instanceof PosetwinError) || error.class !== 'config') throw error;
    const { code, message, hint, details } = error;
    return [diagnose(loaded, { code, message, path: details.path ?? 'schedule', hint })];
  }
};

const refuse = (diagnostics: readonly Diagnostic[], json: boolean): number => {
  if (json) console.log(JSON.stringify({ diagnostics }, null, 2));
  else console.error(formatDiagnostics(diagnostics));
  return exitCodes.config;
};

/**
 * `posetwin schedule [x.yaml]`: the schedule of an experiment, of a file such as those in configs/schedules/, or the
 * default one, in float64 and without starting Python. Answers 0 or 2. Raises `corrupt_file` when the backbone's folder
 * does not tell what it was trained on.
 */
export const showSchedule = async (file: string | undefined, { set, json }: ScheduleOptions): Promise<number> => {
  const checked = checkLoaded(loadPart('schedule', file, { set }));
  if (!checked.ok) return refuse(checked.diagnostics, json);
  const report = await reportOrDiagnostics(checked);
  if (Array.isArray(report)) return refuse(report, json);
  console.log(json ? JSON.stringify(report) : scheduleLines(report, process.stdout.columns ?? 80).join('\n'));
  return exitCodes.done;
};
