import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Pair, parseDocument } from 'yaml';
import { type Diagnostic, diagnosticAt } from './diagnostics.ts';
import { lineAndColumn, type Place, type SourceText } from './source-text.ts';
import { dotted, type Entry, type Located, type Path } from './tree.ts';

/** An alias may stand for a lot: this many values are more than any experiment has, and soon reached by a bomb. */
const maxValues = 100_000;

interface Reading {
  readonly source: SourceText;
  readonly document: Document;
  readonly diagnostics: Diagnostic[];
  values: number;
}

export interface ReadResult {
  /** undefined when the text is empty or not YAML */
  tree: Located | undefined;
  diagnostics: Diagnostic[];
}

const placeIn = (reading: Reading, node: Node): Place => ({ source: reading.source, offset: node.range?.[0] ?? 0 });

const refuse = (reading: Reading, place: Place, path: Path, message: string): Located => {
  reading.diagnostics.push(diagnosticAt(place, { code: 'yaml_syntax', message, path: dotted(path) }));
  return { type: 'scalar', place, value: null };
};

const convertAlias = (reading: Reading, alias: Node, path: Path, inside: readonly Node[]): Located => {
  const place = placeIn(reading, alias);
  const target = isAlias(alias) ? alias.resolve(reading.document) : undefined;
  if (!target) return refuse(reading, place, path, 'there is no anchor of this name above');
  if (inside.includes(target)) return refuse(reading, place, path, 'this alias stands inside its own anchor');
  return convert(reading, target, path, [...inside, target]);
};

/** An empty value has no place of its own worth pointing at: its key has. */
const convertValue = (reading: Reading, pair: Pair, key: Place, path: Path, inside: readonly Node[]): Located => {
  const value = pair.value as Node | null;
  const empty = value === null || (isScalar(value) && value.value === null && !value.source);
  return empty ? { type: 'scalar', place: key, value: null } : convert(reading, value, path, inside);
};

const convertPair = (reading: Reading, pair: Pair, path: Path, inside: readonly Node[]): [string, Entry] => {
  const node = pair.key as Node;
  const name = String(isScalar(node) ? node.value : node);
  const key = placeIn(reading, node);
  return [name, { key, value: convertValue(reading, pair, key, [...path, name], inside) }];
};

const convertMap = (
  reading: Reading,
  pairs: readonly Pair[],
  place: Place,
  path: Path,
  inside: readonly Node[],
): Located => {
  const entries = new Map<string, Entry>();
  for (const pair of pairs) {
    const [name, entry] = convertPair(reading, pair, path, inside);
    const earlier = entries.get(name);
    if (earlier) reading.diagnostics.push(duplicate(name, entry.key, earlier.key, path));
    else entries.set(name, entry);
  }
  return { type: 'map', place, entries };
};

const duplicate = (name: string, place: Place, earlier: Place, path: Path): Diagnostic =>
  diagnosticAt(place, {
    code: 'duplicate_key',
    message: `\`${name}\` stands here a second time`,
    path: dotted([...path, name]),
    hint: `the first one is in line ${lineAndColumn(earlier).line}`,
  });

const convert = (reading: Reading, node: Node, path: Path, inside: readonly Node[]): Located => {
  const place = placeIn(reading, node);
  reading.values += 1;
  if (reading.values > maxValues) return { type: 'scalar', place, value: null };
  if (isAlias(node)) return convertAlias(reading, node, path, inside);
  if (isMap(node)) return convertMap(reading, node.items, place, path, [...inside, node]);
  if (isSeq(node)) {
    const items = node.items.map((item, i) => convert(reading, item as Node, [...path, i], [...inside, node]));
    return { type: 'list', place, items };
  }
  return { type: 'scalar', place, value: isScalar(node) ? node.value : null };
};

/** Keys given twice are reported and the first is kept; with any other fault of syntax there is no tree. */
export const readYaml = (source: SourceText, path: Path = [], text: string = source.text): ReadResult => {
  const document = parseDocument(text, { prettyErrors: false, uniqueKeys: false, merge: false });
  const diagnostics = [...document.errors, ...document.warnings].map(({ message, pos }) =>
    diagnosticAt({ source, offset: pos[0] }, { code: 'yaml_syntax', message, path: dotted(path) }),
  );
  const contents = document.contents as Node | null;
  if (diagnostics.length > 0 || contents === null) return { tree: undefined, diagnostics };
  const reading: Reading = { source, document, diagnostics, values: 0 };
  const tree = convert(reading, contents, path, []);
  if (reading.values <= maxValues) return { tree, diagnostics };
  refuse(reading, tree.place, path, `the text holds more than ${maxValues} values once its aliases are followed`);
  return { tree: undefined, diagnostics };
};
