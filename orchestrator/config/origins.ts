/** Where each value of an experiment comes from. */
import type { Origin, Origins } from '../contracts/origin.ts';
import { displayPath } from './diagnostics.ts';
import { lineAndColumn } from './source-text.ts';
import { dotted, findAt, type LocatedMap, type Path } from './tree.ts';

export type { Origin, Origins } from '../contracts/origin.ts';

const leavesOf = (value: unknown, path: Path = []): Path[] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, [...path, key]))
    : [path];

const originAt = (tree: LocatedMap, path: Path): Origin => {
  const place = findAt(tree, path)?.node.place;
  if (!place) return { kind: 'default' };
  const { name, text } = place.source;
  if (place.source.kind === 'flag') return { kind: 'flag', text, ...(name === '--sweep' && { flag: name }) };
  const { line, column } = lineAndColumn(place);
  return { kind: 'file', file: place.source.name, line, column };
};

export const originsOf = (value: unknown, tree: LocatedMap): Origins =>
  Object.fromEntries(leavesOf(value).map(path => [dotted(path), originAt(tree, path)]));

/** `default`, `experiments/quickstart.yaml:12` or `--set train.seed=1`. */
export const formatOrigin = (origin: Origin): string => {
  if (origin.kind === 'default') return 'default';
  return origin.kind === 'flag'
    ? `${origin.flag ?? '--set'} ${origin.text}`
    : `${displayPath(origin.file)}:${origin.line}`;
};
