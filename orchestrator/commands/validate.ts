import { type Diagnostic, displayPath, formatDiagnostics } from '../config/diagnostics.ts';
import { loadSweep } from '../config/sweep.ts';
import { checkExperiment } from './check.ts';
import { checkSweep } from './sweep-prepare.ts';

export interface ValidateOptions {
  set: readonly string[];
  sweep: readonly string[];
  /** one JSON object instead of text */
  json: boolean;
}

const count = (n: number, noun: string) => `${n} ${noun}${n === 1 ? '' : 's'}`;

interface FileReport {
  file: string;
  ok: boolean;
  /** how many experiments the file stands for, where it has a sweep */
  trials?: number;
  diagnostics: Diagnostic[];
}

const reportOn = (file: string, { set, sweep }: Pick<ValidateOptions, 'set' | 'sweep'>): FileReport => {
  const loaded = loadSweep(file, { set, sweep });
  if (loaded !== undefined) {
    const diagnostics = checkSweep(loaded);
    const trials = loaded.ok ? { trials: loaded.search?.max_trials ?? loaded.trials.length } : {};
    return { file, ok: diagnostics.length === 0, ...trials, diagnostics };
  }
  const checked = checkExperiment(file, { set });
  return { file, ok: checked.ok, diagnostics: checked.ok ? [] : checked.diagnostics };
};

/**
 * `posetwin validate a.yaml b.yaml`: every error of every file and of every trial of its sweep, without starting Python.
 * Answers 0 when all are valid, else 2. Errors go to standard error; with `json` everything goes to standard output.
 */
export const validate = async (files: readonly string[], { set, sweep, json }: ValidateOptions): Promise<number> => {
  const reports = files.map(file => reportOn(file, { set, sweep }));
  if (json) console.log(JSON.stringify({ files: reports }, null, 2));
  else for (const report of reports) print(report);
  return reports.every(({ ok }) => ok) ? 0 : 2;
};

const print = ({ file, trials, diagnostics }: FileReport): void => {
  const path = displayPath(file);
  if (diagnostics.length === 0)
    console.log(`${path}: valid${trials === undefined ? '' : `, ${count(trials, 'trial')}`}`);
  else console.error(`${formatDiagnostics(diagnostics)}\n\n${path}: ${count(diagnostics.length, 'error')}`);
};
