/** A trial of a search as numbers, one for each axis: what Python's study is told, and answers with. */
import type { Assignment, Sweep } from '../contracts/sweep.ts';
import { canonicalJson } from './canonical.ts';

type Axes = Sweep['axes'];

/** Path of an axis → the number, or the index of the value in the axis's list. */
export type Values = Record<string, number>;

/** A trial that has ended; null where it came to no error: it diverged, or was cut. */
export interface Finished {
  values: Values;
  objective: number | null;
}

/** The axes as the study sees them: it knows of a list nothing but how long it is. */
export const toAxes = (axes: Axes) =>
  Object.entries(axes).map(([path, axis]) => {
    if (Array.isArray(axis)) return { path, low: 0, high: 0, log: false, kind: 'float' as const, choices: axis.length };
    const { low, high, log, int } = axis;
    return { path, low, high, log, kind: int ? ('int' as const) : ('float' as const), choices: 0 };
  });

const numberOf = (axis: Axes[string], value: unknown): number | undefined => {
  if (!Array.isArray(axis)) return typeof value === 'number' ? value : undefined;
  const index = axis.findIndex(known => canonicalJson(known) === canonicalJson(value));
  return index < 0 ? undefined : index;
};

/** undefined where the assignment is of other paths or values. */
export const toValues = (axes: Axes, assignment: Assignment): Values | undefined => {
  const found = Object.entries(axes).flatMap(([path, axis]) => {
    const number = numberOf(axis, assignment[path]);
    return number === undefined ? [] : [[path, number] as const];
  });
  const all = Object.keys(axes).length;
  return found.length === all && Object.keys(assignment).length === all ? Object.fromEntries(found) : undefined;
};

/** What `toValues` came from. */
export const fromValues = (axes: Axes, values: Values): Assignment =>
  Object.fromEntries(
    Object.entries(axes).map(([path, axis]) => {
      const number = values[path] ?? 0;
      return [path, Array.isArray(axis) ? axis[number] : number];
    }),
  );
