/** Settings of a sweep in front of people. */
import type { Assignment } from '../../contracts/sweep.ts';
import { canonicalJson } from '../../plan/canonical.ts';

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A value in few characters: `patent-beta`, `0.0001`, `patent-beta(num_steps=10)` for a config with changes. */
export const labelOf = (value: unknown): string => {
  if (!isMapping(value)) return typeof value === 'string' ? value : canonicalJson(value);
  const { config, ...rest } = value;
  const changes = Object.entries(rest).map(([key, inner]) => `${key}=${labelOf(inner)}`);
  return `${config === undefined ? '' : labelOf(config)}${changes.length === 0 ? '' : `(${changes.join(', ')})`}`;
};

/** `schedule=patent-beta train.learning_rate=0.0001` */
export const describeSetting = (assignment: Assignment): string =>
  Object.entries(assignment)
    .map(([path, value]) => `${path}=${labelOf(value)}`)
    .join(' ') || 'the experiment as it is';

/** The same in a sentence: a schedule or a text alone speaks for itself, a number does not. */
export const settingName = (assignment: Assignment): string => {
  const [only, ...others] = Object.values(assignment);
  const speaksForItself = others.length === 0 && (typeof only === 'string' || isMapping(only));
  return speaksForItself ? labelOf(only) : describeSetting(assignment);
};
