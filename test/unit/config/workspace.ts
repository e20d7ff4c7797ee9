import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type LoadedExperiment, type LoadResult, loadExperiment } from '../../../orchestrator/config/load.ts';
import type { Experiment } from '../../../orchestrator/contracts/experiment.ts';

export interface Workspace {
  folder: string;
  /** writes files by their relative paths and answers the absolute path of the first */
  write: (files: Record<string, string>) => string;
  remove: () => void;
}

/** A folder of its own for a test. */
export const makeWorkspace = (): Workspace => {
  const folder = mkdtempSync(join(tmpdir(), 'posetwin-config-'));
  const write = (files: Record<string, string>) => {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    return join(folder, Object.keys(files)[0] ?? '');
  };
  return { folder, write, remove: () => rmSync(folder, { recursive: true, force: true }) };
};

const loadedOf = (result: LoadResult): LoadedExperiment => {
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics, null, 2));
  return result;
};

/** The loaded experiment, or an error that shows the diagnostics. */
export const load = (file: string, ...set: string[]): LoadedExperiment => loadedOf(loadExperiment(file, { set }));

export const experimentOf = (file: string, ...set: string[]): Experiment => load(file, ...set).experiment;

/** `CODE line:col` of each diagnostic; empty when the file is valid. */
export const faultsOf = (file: string, ...set: string[]): string[] => {
  const result = loadExperiment(file, { set });
  return result.ok ? [] : result.diagnostics.map(({ code, line, column }) => `${code} ${line}:${column}`);
};
