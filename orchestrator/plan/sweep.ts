import type { Schedule } from '../contracts/schedule.ts';
import type { SingularNote, SweepTrial } from '../contracts/sweep.ts';
import { buildSchedule, singularQuantities } from '../schedule/index.ts';
import { type Plan, stagesOf } from './plan.ts';

/** One trial of a frozen plan beside what the file asks for now. */
export interface TrialChange {
  mark: '+' | '=' | '-';
  trial: SweepTrial;
}

const firstOfEach = (trials: readonly SweepTrial[]): SweepTrial[] => [
  ...new Map(trials.toReversed().map(trial => [trial.id, trial])).values(),
];

/** Two assignments that give one experiment are one trial: the first of them, in the order of the first. */
export const withoutRepetition = (trials: readonly SweepTrial[]): SweepTrial[] => {
  const kept = new Set(firstOfEach(trials));
  return trials.filter(trial => kept.has(trial));
};

/**
 * What an edited file makes of a frozen plan. A trial that stays is exactly what it was, since its id is the hash of
 * its experiment; one that is no longer asked for is kept as an orphan, and counts as new when it comes back.
 */
export const changeTrials = (
  before: readonly SweepTrial[],
  now: readonly SweepTrial[],
): { trials: SweepTrial[]; changes: TrialChange[] } => {
  const asked = new Set(now.map(({ id }) => id));
  const known = new Set(before.filter(({ orphaned }) => !orphaned).map(({ id }) => id));
  const orphans = before.filter(({ id }) => !asked.has(id)).map(trial => ({ ...trial, orphaned: true }));
  const changes = [
    ...now.map((trial): TrialChange => ({ mark: known.has(trial.id) ? '=' : '+', trial })),
    ...orphans.filter(({ id }) => known.has(id)).map((trial): TrialChange => ({ mark: '-', trial })),
  ];
  return { trials: [...now, ...orphans], changes };
};

/** Stages of all trials together, and how many of them are different ones: those are computed. */
export const countStages = (plans: readonly Plan[]): { total: number; distinct: number } => {
  const keys = plans.flatMap(plan => stagesOf(plan).map(({ name, key }) => `${name} ${key}`));
  return { total: keys.length, distinct: new Set(keys).size };
};

/** What cannot be computed at a step of this schedule, and what the experiment does about it. */
export const singularNotes = (schedule: Schedule): SingularNote[] =>
  buildSchedule(schedule).singular.map(({ t, quantity, kind }) => ({
    t,
    quantity: singularQuantities[quantity],
    kind,
    handled: schedule.singular,
  }));
