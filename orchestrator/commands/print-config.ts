import { formatDiagnostics } from '../config/diagnostics.ts';
import { loadExperiment } from '../config/load.ts';
import { printExperiment } from '../config/print.ts';

export interface PrintConfigOptions {
  set: readonly string[];
  /** `{experiment, origins}` as JSON instead of YAML with comments */
  json: boolean;
}

/** `posetwin run x.yaml --print-config`: the resolved experiment and the origin of each value. Answers 0 or 2. */
export const printConfig = async (file: string, { set, json }: PrintConfigOptions): Promise<number> => {
  const result = loadExperiment(file, { set });
  if (!result.ok) {
    if (json) console.log(JSON.stringify({ diagnostics: result.diagnostics }, null, 2));
    else console.error(formatDiagnostics(result.diagnostics));
    return 2;
  }
  const { experiment, origins } = result;
  console.log(json ? JSON.stringify({ experiment, origins }, null, 2) : printExperiment(experiment, origins).trimEnd());
  return 0;
};
