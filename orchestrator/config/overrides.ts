/** `--set a.b=value`: a value of the command line, typed as YAML, put into the tree. */
import { type Diagnostic, diagnosticAt, type Problem } from './diagnostics.ts';
import { expandGroups, type GroupContext, groups } from './groups.ts';
import { readYaml } from './read.ts';
import { flagText, type Place, type SourceText } from './source-text.ts';
import { dotted, type Located, type LocatedList, type LocatedMap, withEntry } from './tree.ts';

interface Step {
  readonly name: string;
  readonly place: Place;
}

interface Flag {
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

const usage = (source: SourceText) =>
  refused(
    { source, offset: 0 },
    {
      code: 'usage',
      message: '`--set` needs `path=value`',
      path: '--set',
      hint: 'as in --set train.max_train_steps=100',
    },
  );

const splitPath = (source: SourceText, length: number): Step[] => {
  let offset = 0;
  const names = source.text.slice(0, length).split('.');
  return names.map(name => {
    const step = { name, place: { source, offset } };
    offset += name.length + 1;
    return step;
  });
};

/** `schedule.config=linear` says the same as `schedule=linear`. */
const withoutConfigStep = (steps: Step[]): Step[] => {
  const [group, config] = steps;
  const chooses = steps.length === 2 && config?.name === 'config' && Object.hasOwn(groups, group?.name ?? '');
  return chooses ? steps.slice(0, 1) : steps;
};

const parseFlag = (text: string): Flag => {
  const source = flagText(text);
  const length = text.indexOf('=');
  const steps = withoutConfigStep(splitPath(source, Math.max(length, 0)));
  const last = steps.at(-1);
  if (length < 1 || !last || steps.some(({ name }) => name === '')) throw usage(source);
  // Blanks in front keep the offsets right: the value is parsed where it stands.
  const padded = ' '.repeat(length + 1) + text.slice(length + 1);
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

const override = (tree: LocatedMap, text: string, context: GroupContext): LocatedMap => {
  try {
    const { steps, value } = parseFlag(text);
    const assigned = assign(tree, steps, value, []);
    return assigned.type === 'map' ? expandGroups(assigned, context) : tree;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    context.diagnostics.push(...error.diagnostics);
    return tree;
  }
};

/** The tree with each `path=value` put into it, in their order; what cannot be is reported in `context`. */
export const applyOverrides = (tree: LocatedMap, set: readonly string[], context: GroupContext): LocatedMap =>
  set.reduce((current, text) => override(current, text, context), tree);
