import { z } from 'zod';
import { listRuns, type RunFolder, readJsonIfThere } from '../runs/index.ts';
import { formatTable } from './table.ts';

const Mean = z.object({ mean: z.number().nullable() });
/** The few numbers of result.json that the table shows. */
const Shown = z.object({
  summary: z.object({
    primary: z.object({ keypoint_error_px: Mean }),
    secondary: z.object({ keypoint_error_px: Mean }),
  }),
  verdict: z.object({ converged: z.boolean(), steps: z.int() }),
});

interface Row {
  run: string;
  status: string;
  started: string;
  steps: number | null;
  converged: boolean | null;
  primary_px: number | null;
  secondary_px: number | null;
  folder: string;
}

const rowOf = async (run: RunFolder): Promise<Row> => {
  const status = await run.status();
  const result = await readJsonIfThere(run.file('result.json'), Shown);
  return {
    run: `${run.name}/${run.id}`,
    status: status === undefined ? 'unknown' : [status.status, status.code].filter(text => text !== null).join(' '),
    started: status?.started ?? '',
    steps: result?.verdict.steps ?? null,
    converged: result?.verdict.converged ?? null,
    primary_px: result?.summary.primary.keypoint_error_px.mean ?? null,
    secondary_px: result?.summary.secondary.keypoint_error_px.mean ?? null,
    folder: run.relativePath,
  };
};

const head = ['run', 'status', 'started', 'steps', 'converged', 'primary px', 'secondary px', 'folder'];
const cell = (value: string | number | boolean | null): string => {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return value === null
    ? '-'
    : typeof value === 'number' && !Number.isInteger(value)
      ? value.toFixed(2)
      : String(value);
};

/** `posetwin ls`: every run with its state and main numbers, newest first. Answers 0. */
export const list = async ({ json }: { json: boolean }): Promise<number> => {
  const rows = (await Promise.all((await listRuns()).map(rowOf))).sort((a, b) => b.started.localeCompare(a.started));
  if (json) console.log(JSON.stringify({ runs: rows }, null, 2));
  else if (rows.length === 0) console.log('no runs yet in runs/');
  else console.log(formatTable([head, ...rows.map(row => Object.values(row).map(cell))]));
  return 0;
};
