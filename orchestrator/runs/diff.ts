/** One value that differs, by its dotted path; undefined where a side has none. */
export interface Difference {
  path: string;
  before: unknown;
  after: unknown;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What changed between two resolved experiments, down to single values; lists are compared as wholes. */
export const differences = (before: unknown, after: unknown, path = ''): Difference[] => {
  if (isRecord(before) && isRecord(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap(key => differences(before[key], after[key], path === '' ? key : `${path}.${key}`));
  }
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ path, before, after }];
};

const show = (value: unknown): string => (value === undefined ? '(none)' : JSON.stringify(value));

/** `train.learning_rate: 0.0001 -> 0.001` */
export const describeDifference = ({ path, before, after }: Difference): string =>
  `${path}: ${show(before)} -> ${show(after)}`;
