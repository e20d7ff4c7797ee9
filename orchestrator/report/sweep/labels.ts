/** Settings of a sweep in a sentence or a table. */
import { describeAssignment, labelOf } from '../../config/assignment-text.ts';
import type { Assignment } from '../../contracts/sweep.ts';

export const describeSetting = (assignment: Assignment): string =>
  describeAssignment(assignment) || 'the experiment as it is';

/** A schedule or a text alone speaks for itself, a number does not. */
export const settingName = (assignment: Assignment): string => {
  const [only, ...others] = Object.values(assignment);
  const speaksForItself =
    others.length === 0 && (typeof only === 'string' || (only !== null && typeof only === 'object'));
  return speaksForItself ? labelOf(only) : describeSetting(assignment);
};
