/** One experiment file with all that it includes, as one tree. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { diagnosticAt, type Problem } from './diagnostics.ts';
import { expandGroups, type GroupContext } from './groups.ts';
import { readYaml } from './read.ts';
import { fileText, type Place } from './source-text.ts';
import { type Located, type LocatedMap, mergeMaps, withoutEntry } from './tree.ts';

const report = (context: GroupContext, place: Place, problem: Problem): void => {
  context.diagnostics.push(diagnosticAt(place, problem));
};

const readText = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
};

const composeItem = (
  item: Located,
  i: number,
  trail: readonly string[],
  context: GroupContext,
): LocatedMap | undefined => {
  const path = `include.${i}`;
  if (item.type !== 'scalar' || typeof item.value !== 'string') {
    report(context, item.place, { code: 'wrong_type', message: 'the path of a YAML file is needed', path });
    return undefined;
  }
  const file = resolve(item.place.source.folder, item.value);
  if (trail.includes(file)) {
    const message = `\`${item.value}\` includes itself`;
    report(context, item.place, { code: 'include_cycle', message, path, hint: [...trail, file].join(' → ') });
    return undefined;
  }
  return composeFile(file, trail, context, { place: item.place, path });
};

const composeIncludes = (tree: LocatedMap, trail: readonly string[], context: GroupContext): LocatedMap | undefined => {
  const include = tree.entries.get('include')?.value;
  if (!include) return undefined;
  if (include.type !== 'list') {
    const hint = 'write `include: [file.yaml]`';
    report(context, include.place, { code: 'wrong_type', message: '`include` must be a list', path: 'include', hint });
    return undefined;
  }
  const parts = include.items.map((item, i) => composeItem(item, i, trail, context));
  const read = parts.filter(part => part !== undefined);
  return read.length === 0 ? undefined : read.reduce(mergeMaps);
};

/**
 * The tree of `file`: its includes in their order, later over earlier, and its own keys over them.
 * undefined, and reasons in `context`, when it is missing or not a mapping; `wanted` is where it was asked for.
 */
export const composeFile = (
  file: string,
  trail: readonly string[],
  context: GroupContext,
  wanted?: { place: Place; path: string },
): LocatedMap | undefined => {
  const text = readText(file);
  const start = { source: fileText(file, text ?? ''), offset: 0 };
  if (text === undefined) {
    const path = wanted?.path ?? '';
    report(context, wanted?.place ?? start, { code: 'missing_file', message: `${file} cannot be read`, path });
    return undefined;
  }
  context.files.add(file);
  const { tree, diagnostics } = readYaml(start.source);
  context.diagnostics.push(...diagnostics);
  if (!tree && diagnostics.length === 0) return { type: 'map', place: start, entries: new Map() };
  if (tree?.type !== 'map') {
    if (tree) report(context, tree.place, { code: 'wrong_type', message: 'an experiment is a mapping', path: '' });
    return undefined;
  }
  const included = composeIncludes(tree, [...trail, file], context);
  const own = expandGroups(withoutEntry(tree, 'include'), context);
  return included ? mergeMaps(included, own) : own;
};
