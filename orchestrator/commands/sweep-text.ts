/** A sweep in front of people: its trials, what it shares, what has changed since it was frozen. */
import { describeAssignment } from '../config/assignment-text.ts';
import type { SingularNote, SweepPlan, SweepTrial } from '../contracts/sweep.ts';
import type { TrialChange } from '../plan/sweep.ts';

/** `1a2b3c4d schedule=patent-beta seed=1` */
export const nameOf = ({ id, assignment }: Pick<SweepTrial, 'id' | 'assignment'>): string =>
  `${id} ${describeAssignment(assignment)}`.trimEnd();

/** `t 1, 50: drop`; empty where every step can be computed. */
export const describeSingular = (notes: readonly SingularNote[]): string => {
  const [first] = notes;
  if (first === undefined) return '';
  const steps = [...new Set(notes.map(({ t }) => t))];
  const shown = steps.slice(0, 4).join(', ');
  return `singular at t ${shown}${steps.length > 4 ? `, and ${steps.length - 4} more` : ''}: ${first.handled}`;
};

/** `12 trials, 108 stages, 72 of them different` */
export const describeSharing = ({ trials, stages }: Pick<SweepPlan, 'trials' | 'stages'>): string => {
  const count = trials.filter(({ orphaned }) => !orphaned).length;
  return `${count} ${count === 1 ? 'trial' : 'trials'}, ${stages.total} stages, ${stages.distinct} of them different`;
};

const marks = { '+': 'added', '=': 'kept', '-': 'orphaned' } as const;

/** The trials that an edit adds, keeps and orphans; nothing where there was no plan, or nothing has changed. */
export const changeLines = (changes: readonly TrialChange[]): string[] => {
  const count = (mark: TrialChange['mark']) => changes.filter(change => change.mark === mark).length;
  if (count('=') + count('-') === 0 || count('+') + count('-') === 0) return [];
  const counts = (['+', '=', '-'] as const).map(mark => `${count(mark)} ${marks[mark]}`).join(', ');
  return [
    `changed since the plan was frozen: ${counts}`,
    ...changes.map(({ mark, trial }) => `  ${mark} ${nameOf(trial)}`),
  ];
};
