/** What a trial puts into its experiment, in front of people. */
import type { Assignment } from '../contracts/sweep.ts';

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A value in few characters: `patent-beta`, `0.0001`, `patent-beta(num_steps=10)`, `linear(spacing=leading)`. */
export const labelOf = (value: unknown): string => {
  if (!isMapping(value)) return typeof value === 'string' ? value : JSON.stringify(value);
  const { config, kind, ...rest } = value;
  const changes = Object.entries(rest).map(([key, inner]) => `${key}=${labelOf(inner)}`);
  const name = [config, kind].filter(part => part !== undefined).map(labelOf);
  if (name.length + changes.length === 0) return 'defaults';
  return `${name.join(' ')}${changes.length === 0 ? '' : `(${changes.join(', ')})`}`;
};

/** `schedule=patent-beta seed=1`; empty where a trial is the experiment as it is. */
export const describeAssignment = (assignment: Assignment): string =>
  Object.entries(assignment)
    .map(([path, value]) => `${path}=${labelOf(value)}`)
    .join(' ');
