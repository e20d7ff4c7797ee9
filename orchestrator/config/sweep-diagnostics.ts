/** What is wrong with the trials of a sweep, told once each and with the trial that it is wrong with. */
import type { Assignment } from '../contracts/sweep.ts';
import { describeAssignment } from './assignment-text.ts';
import { type Diagnostic, sortDiagnostics } from './diagnostics.ts';
import type { LoadResult } from './load.ts';

interface Found {
  diagnostic: Diagnostic;
  trials: Assignment[];
}

const gather = (trials: readonly { assignment: Assignment; result: LoadResult }[]): Found[] => {
  const found = new Map<string, Found>();
  for (const { assignment, result } of trials) {
    for (const diagnostic of result.ok ? [] : result.diagnostics) {
      const { file, line, column, code, message } = diagnostic;
      const key = JSON.stringify([file, line, column, code, message]);
      const known = found.get(key);
      if (known === undefined) found.set(key, { diagnostic, trials: [assignment] });
      else known.trials.push(assignment);
    }
  }
  return [...found.values()];
};

/** A fault of every trial is one of the experiment, unless there is only one trial. */
const named = ({ diagnostic, trials: [first, ...others] }: Found, count: number): Diagnostic => {
  if (first === undefined || (count > 1 && others.length + 1 === count)) return diagnostic;
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  return { ...diagnostic, message: `${diagnostic.message} (in the trial ${describeAssignment(first)}${more})` };
};

/** Every fault of every trial, sorted; `file` is the one that was asked for. */
export const sweepDiagnostics = (
  trials: readonly { assignment: Assignment; result: LoadResult }[],
  file: string,
): Diagnostic[] =>
  sortDiagnostics(
    gather(trials).map(found => named(found, trials.length)),
    file,
  );
