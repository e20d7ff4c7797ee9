/** `--set a.b=value`, `--sweep a.b=value,value`: values of the command line, typed as YAML, put into the tree. */
import { type Diagnostic, diagnosticAt, type Problem } from './diagnostics.ts';
import { expandGroups, type GroupContext, groups } from './groups.ts';
import { readYaml } from './read.ts';
import { type FlagName, flagText, type Place, type SourceText } from './source-text.ts';
import { dotted, type Located, type LocatedList, type LocatedMap, withEntry } from './tree.ts';

export interface Step {
  readonly name: string;
  readonly place: Place;
}

/** A value and the dotted path where it goes, step by step. */
export interface Override {
  readonly steps: readonly Step[];
  readonly value: Located;
}

/** Ends the work on one flag; the others go on. */
class Refused extends Error {
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super('a flag was refused');
    this.diagnostics = diagnostics;
  }
}

const refused = (place: Place, problem: Problem) => new Refused([diagnosticAt(place, problem)]);

const examples: Record<FlagName, [form: string, example: string]> = {
  '--set': ['path=value', 'train.max_train_steps=100'],
  '--sweep': ['path=value,value', 'train.learning_rate=1e-4,3e-4'],
};

const usage = (source: SourceText, flag: FlagName) => {
  const [form, example] = examples[flag];
  const message = `\`${flag}\` needs \`${form}\``;
  return refused({ source, offset: 0 }, { code: 'usage', message, path: flag, hint: `as in ${flag} ${example}` });
};

/** `schedule.config=linear` says the same as `schedule=linear`. */
const withoutConfigStep = (steps: Step[]): Step[] => {
  const [group, config] = steps;
  const chooses = steps.length === 2 && config?.name === 'config' && Object.hasOwn(groups, group?.name ?? '');
  return chooses ? steps.slice(0, 1) : steps;
};

/** The steps of a dotted path that stands at `place`. */
export const stepsAt = (path: string, { source, offset: start }: Place): Step[] => {
  let offset = start;
  const steps = path.split('.').map(name => {
    const step = { name, place: { source, offset } };
    offset += name.length + 1;
    return step;
  });
  return withoutConfigStep(steps);
};

/** Blanks in front keep the offsets right: the value is parsed where it stands. */
const valueText = (text: string, length: number, flag: FlagName): string =>
  flag === '--set'
    ? ' '.repeat(length + 1) + text.slice(length + 1)
    : `${' '.repeat(length)}[${text.slice(length + 1)}]`;

const parseFlag = (text: string, flag: FlagName): Override => {
  const source = flagText(text, flag);
  const length = text.indexOf('=');
  const steps = stepsAt(text.slice(0, Math.max(length, 0)), { source, offset: 0 });
  const last = steps.at(-1);
  if (length < 1 || !last || steps.some(({ name }) => name === '')) throw usage(source, flag);
  const padded = valueText(text, length, flag);
  const { tree, diagnostics } = readYaml(
    source,
    steps.map(({ name }) => name),
    padded,
  );
  if (diagnostics.length > 0) throw new Refused(diagnostics);
  return { steps, value: tree ?? { type: 'scalar', place: last.place, value: null } };
};

const noItem = (step: Step, done: readonly string[], why: string, hint: string) => {
  const message = `\`${dotted(done)}\` ${why}, so there is no item \`${step.name}\``;
  return refused(step.place, { code: 'unknown_key', message, path: dotted([...done, step.name]), hint });
};

const assignItem = (list: LocatedList, step: Step, rest: readonly Step[], value: Located, done: string[]): Located => {
  const index = /^\d+$/.test(step.name) ? Number(step.name) : -1;
  const item = list.items[index];
  const { length } = list.items;
  if (!item) throw noItem(step, done, `holds ${length} of them`, `count from 0 to ${length - 1}`);
  return { ...list, items: list.items.with(index, assign(item, rest, value, [...done, step.name])) };
};

const emptyAt = (place: Place): LocatedMap => ({ type: 'map', place, entries: new Map() });

const assign = (node: Located | undefined, steps: readonly Step[], value: Located, done: string[]): Located => {
  const [step, ...rest] = steps;
  if (!step) return value;
  if (node?.type === 'list') return assignItem(node, step, rest, value, done);
  if (!node && /^\d+$/.test(step.name))
    throw noItem(step, done, 'is not in the file', `give the whole list: --set '${dotted(done)}=[…]'`);
  const map = node?.type === 'map' ? node : emptyAt(step.place);
  const below = assign(map.entries.get(step.name)?.value, rest, value, [...done, step.name]);
  return withEntry(map, step.name, { key: step.place, value: below });
};

/** What `act` gives, or undefined where a flag is refused; why is reported. */
const reporting = <T>(diagnostics: Diagnostic[], act: () => T): T | undefined => {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    diagnostics.push(...error.diagnostics);
    return undefined;
  }
};

/** The overrides that flags of the command line stand for; those that cannot be read are reported. */
export const readFlags = (texts: readonly string[], flag: FlagName, diagnostics: Diagnostic[]): Override[] =>
  texts.flatMap(text => reporting(diagnostics, () => [parseFlag(text, flag)]) ?? []);

const override = (tree: LocatedMap, { steps, value }: Override, context: GroupContext): LocatedMap => {
  const assigned = reporting(context.diagnostics, () => assign(tree, steps, value, []));
  return assigned?.type === 'map' ? expandGroups(assigned, context) : tree;
};

/** The tree with each value put in at its path, in their order; what cannot be is reported in `context`. */
export const applyOverrides = (tree: LocatedMap, overrides: readonly Override[], context: GroupContext): LocatedMap =>
  overrides.reduce((current, next) => override(current, next, context), tree);
