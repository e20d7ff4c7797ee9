/** Values that name files: made absolute from the text they stand in, and looked for. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Diagnostic, diagnosticAt } from './diagnostics.ts';
import { dotted, type Located, type LocatedMap, type Path, withEntry } from './tree.ts';

type Kind = 'file' | 'folder';

interface FileLike {
  /** the mappings that have it; `*` is every item of a list */
  readonly within: Path;
  readonly key: string;
  /** what may lie there; none where the key is no path of its own in this mapping */
  readonly wants: (around: LocatedMap) => readonly Kind[];
  readonly isPath: (value: string) => boolean;
}

const hasSlash = (value: string) => /[\\/]/.test(value);
const notEmpty = (value: string) => value !== '';

const file = (): readonly Kind[] => ['file'];
const folder = (): readonly Kind[] => ['folder'];

const sourceKind = ({ entries }: LocatedMap): unknown => {
  const kind = entries.get('kind')?.value;
  return kind?.type === 'scalar' ? kind.value : undefined;
};

/** A table of poses is a file, shards are one or a folder of them, pictures lie in a folder. */
const wantedBySource = (source: LocatedMap): readonly Kind[] => {
  const kind = sourceKind(source);
  if (kind === 'poses') return ['file'];
  return kind === 'webdataset' ? ['file', 'folder'] : ['folder'];
};

/** COCO's annotations lie beside its images; those of MPII are named from its own folder. */
const wantedByCoco = (source: LocatedMap): readonly Kind[] => (sourceKind(source) === 'coco' ? ['file'] : []);

const sources: Path = ['dataset', 'sources', '*'];

const fileLikes: readonly FileLike[] = [
  { within: sources, key: 'path', wants: wantedBySource, isPath: notEmpty },
  { within: sources, key: 'annotations', wants: wantedByCoco, isPath: notEmpty },
  { within: sources, key: 'captions', wants: wantedByCoco, isPath: notEmpty },
  { within: ['dataset', 'captioner'], key: 'path', wants: folder, isPath: hasSlash },
  { within: ['figures'], key: 'pose', wants: file, isPath: value => value.endsWith('.json') },
  { within: ['backbone'], key: 'path', wants: folder, isPath: hasSlash },
  { within: ['adapter'], key: 'path', wants: folder, isPath: hasSlash },
  { within: ['slurm'], key: 'setup', wants: file, isPath: notEmpty },
];

const kindOf = (path: string): Kind | undefined => {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats && (stats.isDirectory() ? 'folder' : 'file');
};

type Change = (map: LocatedMap, path: Path) => LocatedMap;

const mapEntry = (map: LocatedMap, name: string, rest: Path, path: Path, change: Change): Located => {
  const entry = map.entries.get(name);
  if (!entry) return map;
  return withEntry(map, name, { ...entry, value: mapAt(entry.value, rest, [...path, name], change) });
};

/** `change` applied to the mappings at `pattern`, where `*` is every item of a list. */
const mapAt = (node: Located, pattern: Path, path: Path, change: Change): Located => {
  const [step, ...rest] = pattern;
  if (step === undefined) return node.type === 'map' ? change(node, path) : node;
  if (node.type === 'map') return mapEntry(node, String(step), rest, path, change);
  if (node.type !== 'list' || step !== '*') return node;
  return { ...node, items: node.items.map((item, i) => mapAt(item, rest, [...path, i], change)) };
};

const resolveOne = (tree: Located, { within, key, wants, isPath }: FileLike, diagnostics: Diagnostic[]): Located =>
  mapAt(tree, within, [], (map, path) => {
    const entry = map.entries.get(key);
    if (entry?.value.type !== 'scalar') return map;
    const node = entry.value;
    const kinds = wants(map);
    if (kinds.length === 0 || typeof node.value !== 'string' || !isPath(node.value)) return map;
    const absolute = resolve(node.place.source.folder, node.value);
    const found = kindOf(absolute);
    if (!found || !kinds.includes(found)) {
      const wanted = kinds.join(' or ');
      const message = found
        ? `${absolute} is a ${found}, and a ${wanted} is needed`
        : `there is no ${wanted} ${absolute}`;
      diagnostics.push(diagnosticAt(node.place, { code: 'missing_file', message, path: dotted([...path, key]) }));
    }
    return withEntry(map, key, { ...entry, value: { ...node, value: absolute } });
  });

/** The tree with absolute paths; each that does not exist, or is not what it should be, becomes `missing_file`. */
export const resolvePaths = (tree: LocatedMap, diagnostics: Diagnostic[]): LocatedMap => {
  const resolved = fileLikes.reduce<Located>((current, fileLike) => resolveOne(current, fileLike, diagnostics), tree);
  return resolved.type === 'map' ? resolved : tree;
};
