import { type Diagnostic, displayPath, formatDiagnostics } from '../config/diagnostics.ts';
import { checkExperiment } from './check.ts';

export interface ValidateOptions {
  set: readonly string[];
  /** one JSON object instead of text */
  json: boolean;
}

const count = (n: number, noun: string) => `${n} ${noun}${n === 1 ? '' : 's'}`;

const reportOn = (file: string, set: readonly string[]) => {
  const checked = checkExperiment(file, { set });
  return { file, ok: checked.ok, diagnostics: checked.ok ? [] : checked.diagnostics };
};

/**
 * `posetwin validate a.yaml b.yaml`: every error of every file, without starting Python.
 * Answers 0 when all are valid, else 2. Errors go to standard error; with `json` everything goes to standard output.
 */
export const validate = async (files: readonly string[], { set, json }: ValidateOptions): Promise<number> => {
  const reports = files.map(file => reportOn(file, set));
  if (json) console.log(JSON.stringify({ files: reports }, null, 2));
  else for (const report of reports) print(report.file, report.diagnostics);
  return reports.every(({ ok }) => ok) ? 0 : 2;
};

const print = (file: string, diagnostics: readonly Diagnostic[]): void => {
  if (diagnostics.length === 0) console.log(`${displayPath(file)}: valid`);
  else
    console.error(`${formatDiagnostics(diagnostics)}\n\n${displayPath(file)}: ${count(diagnostics.length, 'error')}`);
};
