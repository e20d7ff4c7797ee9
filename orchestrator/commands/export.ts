import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, extname, resolve } from 'node:path';
import { PosetwinError } from '../errors.ts';
import { type Column, columnsOf, formatCsv, rowsOf } from '../report/sweep/columns.ts';
import { exitCodes } from './exit-codes.ts';
import { findSweep } from './find-sweep.ts';
import { readTrials } from './trial-record.ts';
import { withServices } from './with-services.ts';

export const exportFormats = ['csv', 'json', 'parquet'] as const;
type Format = (typeof exportFormats)[number];

export interface ExportOptions {
  out: string;
  /** by the ending of `out` when left out */
  format?: Format;
}

const isFormat = (text: string): text is Format => (exportFormats as readonly string[]).includes(text);

const formatOf = ({ out, format }: ExportOptions): Format => {
  if (format !== undefined) return format;
  const ending = extname(out).slice(1).toLowerCase();
  if (isFormat(ending)) return ending;
  throw new PosetwinError('usage', `the ending of ${out} names no format`, {
    hint: `--format ${exportFormats.join(', ')}, or a file with such an ending`,
  });
};

const refuseExisting = (file: string): PosetwinError =>
  new PosetwinError('usage', `${file} is there already, and nothing is overwritten`, { file, hint: 'another --out' });

const isExisting = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'EEXIST';

const writeNew = async (file: string, text: string): Promise<void> => {
  try {
    await writeFile(file, text, { flag: 'wx' });
  } catch (cause) {
    throw isExisting(cause) ? refuseExisting(file) : cause;
  }
};

const writers: Record<Format, (file: string, columns: readonly Column[]) => Promise<unknown>> = {
  csv: (file, columns) => writeNew(file, formatCsv(columns)),
  json: (file, columns) => writeNew(file, `${JSON.stringify(rowsOf(columns), null, 2)}\n`),
  parquet: (file, columns) =>
    withServices(async services => {
      const bridge = await services.bridge();
      return bridge.call('write_parquet', {
        path: file,
        columns: columns.map(({ values, ...column }) => ({ ...column, values: [...values] })),
      });
    }),
};

/**
 * `posetwin export <name|file> --out FILE`: one row a trial as CSV, JSON or Parquet, orphans too. Answers 0; raises
 * `usage` where there is no such sweep, or FILE is there already.
 */
export const exportSweep = async (given: string, options: ExportOptions): Promise<number> => {
  const [format, file] = [formatOf(options), resolve(options.out)];
  if (existsSync(file)) throw refuseExisting(file);
  const { folder, plan } = await findSweep(given);
  const columns = columnsOf(await readTrials(plan, folder.path));
  await mkdir(dirname(file), { recursive: true });
  await writers[format](file, columns);
  console.log(`${plan.trials.length} trials, ${columns.length} columns: ${options.out}`);
  return exitCodes.done;
};
