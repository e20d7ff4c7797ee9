import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { ReportData } from '../report/data.ts';
import { writeReport } from '../report/write-report.ts';
import { type RunFolder, readJson, writeJson } from '../runs/index.ts';
import type { RunContext } from './context.ts';
import { collectReport, type ReportFacts } from './report-data.ts';

/** result.json: every number of the run, for programs; what fills pages stays in the store. */
export type RunResult = ReturnType<typeof resultOf>;

const resultOf = ({ run_id, finished, experiment, stages, summary, verdict, figure, ...rest }: ReportData) => ({
  name: experiment.name,
  run_id,
  finished,
  summary,
  verdict,
  figure,
  manifest: rest.manifest,
  stages,
  provenance: rest.provenance,
  warnings: rest.warnings,
});

/** What `writeRunReport` wrote here before. Raises `corrupt_file`. */
export const readResult = (run: RunFolder): Promise<RunResult> =>
  readJson(run.file('result.json'), z.custom<RunResult>(isWholeResult));

const isWholeResult = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'summary' in value && 'verdict' in value;

const figureNames = ['fig3.svg', 'fig3.png'];

/** Fills the run folder: result.json, convergence.json, figures/, report.html. */
export const writeRunReport = async (context: RunContext, facts: ReportFacts): Promise<RunResult> => {
  const { run, store, plan } = context;
  const data = await collectReport(context, facts);
  const result = resultOf(data);
  await writeJson(run.file('result.json'), result);
  await copyFile(join(store.folder(plan.stages.verdict), 'convergence.json'), run.file('convergence.json'));
  await mkdir(run.file('figures'), { recursive: true });
  for (const name of figureNames) await copyFile(join(data.folders.figures, name), run.file('figures', name));
  await writeReport(data, run.path);
  return result;
};
