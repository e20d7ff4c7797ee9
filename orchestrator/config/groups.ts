/** Named parts of an experiment: `schedule: scaled-linear` stands for configs/schedules/scaled-linear.yaml. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Diagnostic, diagnosticAt } from './diagnostics.ts';
import { readYaml } from './read.ts';
import { fileText, type Place } from './source-text.ts';
import { didYouMean } from './suggest.ts';
import { type Located, type LocatedMap, mergeMaps, withoutEntry } from './tree.ts';

/** Key of the experiment → folder under configs/. */
export const groups: Readonly<Record<string, string>> = {
  backbone: 'backbones',
  adapter: 'adapters',
  detector: 'detectors',
  judge: 'detectors',
  dataset: 'datasets',
  schedule: 'schedules',
};

export const packageFolder = join(import.meta.dirname, '..', '..');

export interface GroupContext {
  readonly diagnostics: Diagnostic[];
  readonly files: Set<string>;
  /** the experiment's folder: its configs/ comes before the package's */
  readonly folder: string;
}

const isFile = (path: string) => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

const foldersOf = (group: string, besides: readonly string[]): string[] =>
  [...new Set([...besides, packageFolder])].map(folder => join(folder, 'configs', groups[group] ?? ''));

/** The names that can be chosen for a group, in the package and in the configs/ beside `besides`. */
export const groupNames = (group: string, besides: readonly string[] = []): string[] => {
  const names = foldersOf(group, besides)
    .filter(folder => existsSync(folder))
    .flatMap(folder => readdirSync(folder))
    .filter(file => file.endsWith('.yaml'))
    .map(file => file.slice(0, -'.yaml'.length));
  return [...new Set(names)].sort();
};

const unknownConfig = (group: string, name: string, besides: readonly string[], place: Place): Diagnostic =>
  diagnosticAt(place, {
    code: 'unknown_config',
    message: `there is no configs/${groups[group]}/${name}.yaml`,
    path: group,
    hint: didYouMean(name, groupNames(group, besides), 'there are'),
  });

const readGroupFile = (group: string, file: string, context: GroupContext): LocatedMap | undefined => {
  context.files.add(file);
  const source = fileText(file, readFileSync(file, 'utf8'));
  const { tree, diagnostics } = readYaml(source, [group]);
  context.diagnostics.push(...diagnostics);
  if (tree?.type === 'map') return { ...tree, replaces: true };
  const place = tree?.place ?? { source, offset: 0 };
  if (diagnostics.length === 0)
    context.diagnostics.push(diagnosticAt(place, { code: 'wrong_type', message: 'a mapping is needed', path: group }));
  return undefined;
};

const readGroup = (group: string, name: string, place: Place, context: GroupContext): LocatedMap | undefined => {
  const besides = place.source.kind === 'file' ? [place.source.folder, context.folder] : [context.folder];
  // A name, never a path: nothing outside the configs/ folders can be reached.
  const candidates = /^\w[\w.-]*$/.test(name) ? foldersOf(group, besides).map(f => join(f, `${name}.yaml`)) : [];
  const file = candidates.find(isFile);
  if (file) return readGroupFile(group, file, context);
  context.diagnostics.push(unknownConfig(group, name, besides, place));
  return undefined;
};

const expandConfigKey = (group: string, node: LocatedMap, context: GroupContext): Located | undefined => {
  const config = node.entries.get('config')?.value;
  if (!config) return node;
  const overrides = withoutEntry(node, 'config');
  if (config.type === 'scalar' && typeof config.value === 'string') {
    const chosen = readGroup(group, config.value, config.place, context);
    return chosen && mergeMaps(chosen, overrides);
  }
  const message = `\`${group}.config\` must be the name of a file in configs/${groups[group]}`;
  context.diagnostics.push(diagnosticAt(config.place, { code: 'wrong_type', message, path: `${group}.config` }));
  return undefined;
};

const expandGroup = (group: string, node: Located, context: GroupContext): Located | undefined => {
  if (node.type === 'map') return expandConfigKey(group, node, context);
  const named = node.type === 'scalar' && typeof node.value === 'string';
  return named ? readGroup(group, String(node.value), node.place, context) : node;
};

/** Every name of a group replaced by what its file holds; a group whose file cannot be had is left out. */
export const expandGroups = (tree: LocatedMap, context: GroupContext): LocatedMap => {
  const entries = new Map(tree.entries);
  for (const [group, { key, value }] of tree.entries) {
    if (!Object.hasOwn(groups, group)) continue;
    const expanded = expandGroup(group, value, context);
    if (expanded) entries.set(group, { key, value: expanded });
    else entries.delete(group);
  }
  return { ...tree, entries };
};
