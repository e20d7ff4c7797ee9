/** One value of a nested object under its dotted path. */
export interface Leaf {
  path: string;
  value: string;
}

const isBranch = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && (!Array.isArray(value) || value.some(isBranch));

const show = (value: unknown): string => {
  if (typeof value === 'string') return value === '' ? '(empty)' : value;
  if (Array.isArray(value)) return value.length === 0 ? '(none)' : value.map(show).join(', ');
  return typeof value === 'object' && value !== null ? '(none)' : String(value);
};

const hasBranches = (value: object): boolean => Object.keys(value).length > 0;

/** Every value of a JSON-like object, in its order; lists of plain values stay together, other lists are numbered. */
export const flatten = (value: unknown, path = ''): Leaf[] => {
  if (!isBranch(value) || !hasBranches(value)) return [{ path, value: show(value) }];
  return Object.entries(value).flatMap(([key, inner]) => flatten(inner, path === '' ? key : `${path}.${key}`));
};
