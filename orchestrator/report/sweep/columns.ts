/** Trials as a table of plain values, a row each: what is exported. */
import type { Interval } from '../../convergence/bootstrap.ts';
import { canonicalJson } from '../../plan/canonical.ts';
import { numbersOf, type TrialNumbers } from './numbers.ts';
import { isTrained, outcomeOf, type TrialRecord } from './record.ts';

export type Scalar = string | number | boolean | null;

export interface Column {
  name: string;
  /** of every value that is not null */
  type: 'string' | 'integer' | 'number' | 'boolean';
  values: readonly Scalar[];
}

const typeOf = (values: readonly Scalar[]): Column['type'] | undefined => {
  const types = new Set(values.filter(value => value !== null).map(value => typeof value));
  const [only] = types;
  if (types.size !== 1 || only === undefined) return undefined;
  if (only !== 'number') return only === 'boolean' ? 'boolean' : 'string';
  return values.every(value => value === null || Number.isSafeInteger(value)) ? 'integer' : 'number';
};

const isScalar = (value: unknown): value is Scalar =>
  value === null || ['string', 'number', 'boolean'].includes(typeof value);

/** An axis whose values are not all of one kind is one of texts; a mapping is its JSON. */
const axisColumn = (path: string, trials: readonly TrialRecord[]): Column => {
  const given = trials.map(({ assignment }) => assignment[path] ?? null);
  const values = given.map(value => (isScalar(value) ? value : canonicalJson(value)));
  const type = typeOf(values);
  if (type !== undefined) return { name: path, type, values };
  return { name: path, type: 'string', values: values.map(value => (value === null ? null : String(value))) };
};

const intervals = ['keypoint_error_ratio', 'scene_drift_ratio'] as const;
type IntervalName = (typeof intervals)[number];

const numberColumn = (name: string, values: readonly (number | null)[]): Column => ({
  name,
  type: 'number',
  // NaN and infinity are no values of JSON, and mean here that there is none.
  values: values.map(value => (value !== null && Number.isFinite(value) ? value : null)),
});

const intervalColumns = (name: IntervalName, numbers: readonly TrialNumbers[]): Column[] => {
  const part = (key: keyof Interval) => numbers.map(row => row[name]?.[key] ?? null);
  return [
    numberColumn(name, part('mean')),
    numberColumn(`${name}_low`, part('low')),
    numberColumn(`${name}_high`, part('high')),
  ];
};

const isInterval = (name: keyof TrialNumbers): name is IntervalName => (intervals as readonly string[]).includes(name);

const countColumn = (name: string, values: readonly (number | null)[]): Column => ({ name, type: 'integer', values });

const measuredColumns = (trials: readonly TrialRecord[]): Column[] => {
  const numbers = trials.map(numbersOf);
  const [first] = numbers;
  const names = Object.keys(first ?? {}) as (keyof TrialNumbers)[];
  return names.flatMap(name => {
    if (isInterval(name)) return intervalColumns(name, numbers);
    const make = name === 'num_pairs' ? countColumn : numberColumn;
    return [
      make(
        name,
        numbers.map(row => row[name]),
      ),
    ];
  });
};

const column = (
  name: string,
  type: Column['type'],
  trials: readonly TrialRecord[],
  value: (trial: TrialRecord) => Scalar,
): Column => ({ name, type, values: trials.map(value) });

/** Every trial in a row: id, axes, seed, what became of it, all numbers of `compare`, what it has cost, its run. */
export const columnsOf = (trials: readonly TrialRecord[]): Column[] => {
  const paths = new Set(trials.flatMap(({ assignment }) => Object.keys(assignment)));
  paths.delete('seed');
  const loss = (name: 'q' | 'delta_l' | 'lower_bound' | 'achieved') =>
    numberColumn(
      name,
      trials.map(trial => trial.loss?.[name] ?? null),
    );
  const cost = (name: 'train_seconds' | 'evaluate_seconds' | 'peak_memory_mb') =>
    numberColumn(
      name,
      trials.map(trial => trial[name]),
    );
  return [
    column('id', 'string', trials, ({ id }) => id),
    ...[...paths].map(path => axisColumn(path, trials)),
    column('seed', 'integer', trials, ({ seed }) => seed),
    column('state', 'string', trials, ({ state }) => state),
    column('code', 'string', trials, ({ code }) => code),
    column('outcome', 'string', trials, outcomeOf),
    column('trained', 'boolean', trials, isTrained),
    column('orphaned', 'boolean', trials, ({ orphaned }) => orphaned),
    ...measuredColumns(trials),
    ...(['q', 'delta_l', 'lower_bound', 'achieved'] as const).map(loss),
    column('converged', 'boolean', trials, trial => trial.loss?.converged ?? null),
    column('plateau', 'string', trials, trial => trial.loss?.plateau ?? null),
    column('steps', 'integer', trials, trial => trial.loss?.steps ?? null),
    column('singular_steps', 'integer', trials, ({ singular }) => new Set(singular.map(({ t }) => t)).size),
    ...(['train_seconds', 'evaluate_seconds', 'peak_memory_mb'] as const).map(cost),
    column('run', 'string', trials, ({ run }) => run),
  ];
};

/** The columns as one object for each row. */
export const rowsOf = (columns: readonly Column[]): Record<string, Scalar>[] =>
  (columns[0]?.values ?? []).map((_, row) =>
    Object.fromEntries(columns.map(({ name, values }) => [name, values[row] ?? null])),
  );

const quoted = (value: Scalar): string => {
  const text = value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** RFC 4180: CRLF between lines, quotes where they are needed; nothing between commas is null. */
export const formatCsv = (columns: readonly Column[]): string => {
  const rows = (columns[0]?.values ?? []).map((_, row) => columns.map(({ values }) => values[row] ?? null));
  return [columns.map(({ name }) => name), ...rows].map(row => `${row.map(quoted).join(',')}\r\n`).join('');
};
