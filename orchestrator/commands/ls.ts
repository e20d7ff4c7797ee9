import { listRuns, type RunFolder } from '../runs/index.ts';
import { readNumbers } from './run-numbers.ts';
import { formatTable } from './table.ts';

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
  const numbers = await readNumbers(run);
  return {
    run: `${run.name}/${run.id}`,
    status: status === undefined ? 'unknown' : [status.status, status.code].filter(text => text !== null).join(' '),
    started: status?.started ?? '',
    steps: numbers?.steps ?? null,
    converged: numbers?.converged ?? null,
    primary_px: numbers?.primary_px ?? null,
    secondary_px: numbers?.secondary_px ?? null,
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
