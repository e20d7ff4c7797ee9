import { dirname } from 'node:path';

/** A text that values came from: a YAML file, or one `--set` or `--sweep` of the command line. */
export interface SourceText {
  readonly kind: 'file' | 'flag';
  /** absolute path of the file, or the flag: `--set`, `--sweep` */
  readonly name: string;
  readonly text: string;
  /** what relative paths in it are relative to */
  readonly folder: string;
}

/** A position in a text; `offset` counts UTF-16 units from 0. */
export interface Place {
  readonly source: SourceText;
  readonly offset: number;
}

export const fileText = (name: string, text: string): SourceText => ({
  kind: 'file',
  name,
  text,
  folder: dirname(name),
});

export type FlagName = '--set' | '--sweep';

export const flagText = (text: string, name: FlagName = '--set'): SourceText => ({
  kind: 'flag',
  name,
  text,
  folder: process.cwd(),
});

/** Line and column of a place, both from 1, and the whole line. */
export const lineAndColumn = ({ source, offset }: Place): { line: number; column: number; excerpt: string } => {
  const before = source.text.slice(0, offset);
  const start = before.lastIndexOf('\n') + 1;
  const line = before.split('\n').length;
  const [excerpt = ''] = source.text.slice(start).split(/\r?\n/, 1);
  return { line, column: offset - start + 1, excerpt };
};
