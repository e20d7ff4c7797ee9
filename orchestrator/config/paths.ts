/** Values that name files: made absolute from the text they stand in, and looked for. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Diagnostic, diagnosticAt } from './diagnostics.ts';
import { dotted, type Located, type LocatedMap, type LocatedScalar, type Path } from './tree.ts';

interface FileLike {
  readonly pattern: Path;
  readonly wants: 'file' | 'folder';
  readonly isPath: (value: string) => boolean;
}

const hasSlash = (value: string) => /[\\/]/.test(value);

const fileLikes: readonly FileLike[] = [
  { pattern: ['dataset', 'sources', '*', 'path'], wants: 'folder', isPath: value => value !== '' },
  { pattern: ['figures', 'pose'], wants: 'file', isPath: value => value.endsWith('.json') },
  { pattern: ['backbone', 'path'], wants: 'folder', isPath: hasSlash },
  { pattern: ['adapter', 'path'], wants: 'folder', isPath: hasSlash },
];

const kindOf = (path: string): 'file' | 'folder' | undefined => {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats && (stats.isDirectory() ? 'folder' : 'file');
};

type Change = (node: LocatedScalar, path: Path) => LocatedScalar;

const mapEntry = (map: LocatedMap, name: string, rest: Path, path: Path, change: Change): Located => {
  const entry = map.entries.get(name);
  if (!entry) return map;
  const value = mapAt(entry.value, rest, [...path, name], change);
  return { ...map, entries: new Map(map.entries).set(name, { ...entry, value }) };
};

/** `change` applied to the scalars at `pattern`, where `*` is every item of a list. */
const mapAt = (node: Located, pattern: Path, path: Path, change: Change): Located => {
  const [step, ...rest] = pattern;
  if (step === undefined) return node.type === 'scalar' ? change(node, path) : node;
  if (node.type === 'map') return mapEntry(node, String(step), rest, path, change);
  if (node.type !== 'list' || step !== '*') return node;
  return { ...node, items: node.items.map((item, i) => mapAt(item, rest, [...path, i], change)) };
};

const resolveOne = (tree: Located, { pattern, wants, isPath }: FileLike, diagnostics: Diagnostic[]): Located =>
  mapAt(tree, pattern, [], (node, path) => {
    if (typeof node.value !== 'string' || !isPath(node.value)) return node;
    const file = resolve(node.place.source.folder, node.value);
    const found = kindOf(file);
    if (found !== wants) {
      const message = found ? `${file} is a ${found}, and a ${wants} is needed` : `there is no ${wants} ${file}`;
      diagnostics.push(diagnosticAt(node.place, { code: 'missing_file', message, path: dotted(path) }));
    }
    return { ...node, value: file };
  });

/** The tree with absolute paths; each that does not exist, or is not what it should be, becomes `missing_file`. */
export const resolvePaths = (tree: LocatedMap, diagnostics: Diagnostic[]): LocatedMap => {
  const resolved = fileLikes.reduce<Located>((current, fileLike) => resolveOne(current, fileLike, diagnostics), tree);
  return resolved.type === 'map' ? resolved : tree;
};
