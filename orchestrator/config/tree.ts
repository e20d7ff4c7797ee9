/** Parsed YAML in which every key and value remembers its place; merged, overridden and read back as plain data. */
import type { Place } from './source-text.ts';

export interface LocatedScalar {
  readonly type: 'scalar';
  readonly place: Place;
  readonly value: unknown;
}
export interface LocatedList {
  readonly type: 'list';
  readonly place: Place;
  readonly items: readonly Located[];
}
export interface Entry {
  readonly key: Place;
  readonly value: Located;
}
export interface LocatedMap {
  readonly type: 'map';
  readonly place: Place;
  readonly entries: ReadonlyMap<string, Entry>;
  /** A chosen config: it takes the place of what an included file says, instead of being merged with it. */
  readonly replaces?: boolean;
}
export type Located = LocatedScalar | LocatedList | LocatedMap;

export type Path = readonly (string | number)[];

export const dotted = (path: readonly PropertyKey[]): string => path.map(String).join('.');

/** The plain value; own properties only, so that a key `__proto__` stays a key. */
export const toValue = (node: Located): unknown => {
  if (node.type === 'scalar') return node.value;
  if (node.type === 'list') return node.items.map(toValue);
  return Object.fromEntries([...node.entries].map(([key, { value }]) => [key, toValue(value)]));
};

/** `over` on top of `base`: mappings key by key, anything else replaced. */
export const merge = (base: Located, over: Located): Located =>
  base.type === 'map' && over.type === 'map' ? mergeMaps(base, over) : over;

export const mergeMaps = (base: LocatedMap, over: LocatedMap): LocatedMap => {
  if (over.replaces) return over;
  const entries = new Map(base.entries);
  for (const [key, entry] of over.entries) {
    const below = entries.get(key);
    entries.set(key, below ? { key: entry.key, value: merge(below.value, entry.value) } : entry);
  }
  return { ...over, entries, replaces: base.replaces ?? false };
};

export const withEntry = (map: LocatedMap, key: string, entry: Entry): LocatedMap => ({
  ...map,
  entries: new Map(map.entries).set(key, entry),
});

export const withoutEntry = (map: LocatedMap, key: string): LocatedMap => {
  const entries = new Map(map.entries);
  entries.delete(key);
  return { ...map, entries };
};

interface Found {
  readonly node: Located;
  /** the key that the node stands under; undefined for the root and for list items */
  readonly key: Place | undefined;
}

const childOf = (node: Located, step: PropertyKey): Found | undefined => {
  if (node.type === 'list') {
    const item = node.items[Number(step)];
    return item && { node: item, key: undefined };
  }
  const entry = node.type === 'map' ? node.entries.get(String(step)) : undefined;
  return entry && { node: entry.value, key: entry.key };
};

/** What stands at `path`, or undefined. */
export const findAt = (root: Located, path: readonly PropertyKey[]): Found | undefined => {
  let found: Found | undefined = { node: root, key: undefined };
  for (const step of path) found = found && childOf(found.node, step);
  return found;
};

/** The same for the longest beginning of `path` that exists. */
export const findNearest = (root: Located, path: readonly PropertyKey[]): Found => {
  const found = findAt(root, path);
  return found ?? findNearest(root, path.slice(0, -1));
};

/** Where to point for a thing as a whole: at its key if it has one. */
export const placeOf = ({ node, key }: Found): Place => key ?? node.place;
