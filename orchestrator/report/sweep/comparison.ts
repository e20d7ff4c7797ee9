/** A sweep as it is read: every trial, its settings ranked, and what that comes to. */
import type { SweepPlan } from '../../contracts/sweep.ts';
import { meanOf } from '../../convergence/bootstrap.ts';
import { groupBySetting, type Measure, type RankedGroup, rankTrials } from '../compare-trials.ts';
import { conclude } from './conclusion.ts';
import { isEnded, isTrained, outcomeOf, type TrialRecord } from './record.ts';

/** All trials of one assignment, whatever their seed. */
export interface Setting {
  assignment: RankedGroup['assignment'];
  trials: readonly TrialRecord[];
  /** null where none of its trials has a trained adapter */
  ranked: RankedGroup | null;
}

export interface SweepComparison {
  name: string;
  /** the experiment file */
  file: string;
  by: Measure;
  /** those that the file asks for, in its order */
  trials: readonly TrialRecord[];
  /** the best first; those that could not be trained, or are not yet, last */
  settings: readonly Setting[];
  conclusion: string | null;
}

const resultsOf = (trials: readonly TrialRecord[]) =>
  trials.flatMap(trial => {
    const { assignment, seed, measured } = trial;
    return measured !== null && isTrained(trial) ? [{ assignment, seed, ...measured }] : [];
  });

const rankOf = (groups: readonly RankedGroup[], assignment: RankedGroup['assignment']): number =>
  groups.findIndex(group => JSON.stringify(group.assignment) === JSON.stringify(assignment));

export const compareSweep = (
  { name, file }: Pick<SweepPlan, 'name' | 'file'>,
  records: readonly TrialRecord[],
  by: Measure,
): SweepComparison => {
  const trials = records.filter(({ orphaned }) => !orphaned);
  const groups = rankTrials(resultsOf(trials), by);
  const settings = groupBySetting(trials).map(({ assignment, trials: own }) => ({
    assignment,
    trials: own,
    place: rankOf(groups, assignment),
  }));
  const last = groups.length;
  const ordered = settings.toSorted((a, b) => (a.place < 0 ? last : a.place) - (b.place < 0 ? last : b.place));
  return {
    ...{ name, file, by, trials },
    settings: ordered.map(({ place, ...setting }) => ({ ...setting, ranked: groups[place] ?? null })),
    conclusion: conclude(groups, by) ?? null,
  };
};

/** Over the trials of a setting that have the value; null where none has. */
export const meanOverTrials = (
  { trials }: Pick<Setting, 'trials'>,
  value: (trial: TrialRecord) => number | null | undefined,
): number | null => {
  const known = trials.map(value).filter(one => one !== null && one !== undefined);
  return known.length === 0 ? null : meanOf(known);
};

/** The trials of a setting that are not simply done, with what became of them: `seed 3: no gradient`, or of all of them. */
export const troubles = ({ trials }: Pick<Setting, 'trials'>): string => {
  const outcomes = trials.map(trial => ({ seed: trial.seed, outcome: outcomeOf(trial) }));
  const unfinished = outcomes.filter(({ outcome }) => outcome !== 'done');
  const [first] = unfinished;
  const isCommon = unfinished.length === trials.length && unfinished.every(({ outcome }) => outcome === first?.outcome);
  if (isCommon) return first?.outcome ?? '';
  return unfinished.map(({ seed, outcome }) => `seed ${seed}: ${outcome}`).join(', ');
};

/** `8 done, 1 diverged`. */
export const countOutcomes = (trials: readonly TrialRecord[]): string => {
  const counts = new Map<string, number>();
  for (const trial of trials) counts.set(outcomeOf(trial), (counts.get(outcomeOf(trial)) ?? 0) + 1);
  return [...counts].map(([outcome, amount]) => `${amount} ${outcome}`).join(', ');
};

export const hasEnded = ({ trials }: Pick<SweepComparison, 'trials'>): boolean => trials.some(isEnded);
