import { isAbsolute, relative } from 'node:path';
import type { ErrorCode } from '../errors.ts';
import { lineAndColumn, type Place } from './source-text.ts';

/** One thing wrong with an experiment file or a flag: data first, text second. Line and column count from 1. */
export interface Diagnostic {
  code: ErrorCode;
  message: string;
  /** dotted path in the experiment; empty for the file as a whole */
  path: string;
  hint?: string;
  /** absolute path, or the flag: `--set`, `--sweep` */
  file: string;
  line: number;
  column: number;
  /** the line that it points into */
  excerpt: string;
}

export interface Problem {
  code: ErrorCode;
  message: string;
  path: string;
  hint?: string | undefined;
}

export const diagnosticAt = (place: Place, { code, message, path, hint }: Problem): Diagnostic => ({
  code,
  message,
  path,
  ...(hint && { hint }),
  file: place.source.name,
  ...lineAndColumn(place),
});

/** In the order in which a reader meets them: `first` before other files, flags last; no place and code twice. */
export const sortDiagnostics = (diagnostics: readonly Diagnostic[], first: string): Diagnostic[] => {
  const rank = ({ file }: Diagnostic) => (file === first ? 0 : file.startsWith('--') ? 2 : 1);
  const unique = new Map(diagnostics.map(d => [`${d.file}:${d.line}:${d.column}:${d.code}:${d.message}`, d]));
  return [...unique.values()].sort(
    (a, b) => rank(a) - rank(b) || a.file.localeCompare(b.file) || a.line - b.line || a.column - b.column,
  );
};

/** A path as the user would type it from here. */
export const displayPath = (file: string): string => {
  if (!isAbsolute(file)) return file;
  const fromHere = relative(process.cwd(), file);
  return fromHere.startsWith('..') ? file : fromHere;
};

const longestExcerpt = 160;

const caretUnder = (excerpt: string, column: number): string[] => {
  if (excerpt === '') return [];
  // Far to the right in a long line: show the part around the column.
  const start = column > longestExcerpt - 40 ? column - 80 : 0;
  const shown = excerpt.slice(start, start + longestExcerpt);
  const padding = shown.slice(0, column - 1 - start).replace(/[^\t]/g, ' ');
  return [`    ${shown}`, `    ${padding}^`];
};

const formatDiagnostic = ({ file, line, column, code, message, excerpt, hint }: Diagnostic): string =>
  [
    `${displayPath(file)}:${line}:${column} ${code} ${message}`,
    ...caretUnder(excerpt, column),
    ...(hint ? [`    hint: ${hint}`] : []),
  ].join('\n');

/** `file:line:col CODE message`, the source line, a caret and the hint, for each. */
export const formatDiagnostics = (diagnostics: readonly Diagnostic[]): string =>
  diagnostics.map(formatDiagnostic).join('\n\n');
