/** What a sweep's `early_stopping` needs of its trials: a rule that could never cut one would not do what it says. */
import type { Experiment } from '../contracts/experiment.ts';
import { type EarlyStopping, groupOf } from '../contracts/sweep.ts';
import { type Refusal, refuseIf } from './rules.ts';

const section = 'sweep.early_stopping';

const noValidation = (_: EarlyStopping, { train, convergence }: Experiment): Refusal | undefined =>
  refuseIf(
    train.validation.steps === 0,
    [section, 'train.validation.steps'],
    'without a validation there is no held-out pose error to stop a trial by',
    `\`train.validation.steps: ${convergence.decision_steps}\`, as often as \`convergence.decision_steps\``,
  );

/** A decision needs a validation at its very step. */
const apart = (_: EarlyStopping, { train, convergence: { decision_steps } }: Experiment): Refusal | undefined => {
  const { steps } = train.validation;
  return refuseIf(
    steps % decision_steps !== 0 && decision_steps % steps !== 0,
    ['train.validation.steps', 'convergence.decision_steps', section],
    `validations every ${steps} steps and decisions every ${decision_steps} fall on different steps`,
    'make one of them a multiple of the other',
  );
};

/** A validation and a decision fall on every multiple of this. */
const everyOf = ({ train, convergence }: Experiment): number =>
  Math.max(train.validation.steps, convergence.decision_steps);

const offRung = (rule: EarlyStopping, experiment: Experiment): Refusal | undefined => {
  const every = everyOf(experiment);
  return refuseIf(
    rule.rule === 'successive_halving' && rule.min_steps % every !== 0,
    [`${section}.min_steps`, 'train.validation.steps', 'convergence.decision_steps'],
    `the first rung at step ${rule.min_steps} has no validation to decide by`,
    `a multiple of ${every}, where validations and decisions fall on one step`,
  );
};

const tooLate = ({ min_steps }: EarlyStopping, experiment: Experiment): Refusal | undefined => {
  const { max_train_steps } = experiment.train;
  const every = everyOf(experiment);
  const first = Math.max(Math.ceil(min_steps / every), 1) * every;
  return refuseIf(
    first >= max_train_steps,
    [...(min_steps > every ? [`${section}.min_steps`] : []), 'train.max_train_steps', section],
    `training ends after ${max_train_steps} steps, no later than the first decision on a trial, at step ${first}`,
    'decide earlier: fewer `min_steps`, `train.validation.steps` or `convergence.decision_steps`',
  );
};

/** Why this trial could not be judged by the rule. */
export const refuseTrial = (rule: EarlyStopping, experiment: Experiment): Refusal | undefined =>
  noValidation(rule, experiment) ?? apart(rule, experiment) ?? offRung(rule, experiment) ?? tooLate(rule, experiment);

/** Trials that are compared with one another, at most. */
const largestGroup = (rule: EarlyStopping, experiments: readonly Experiment[]): number => {
  const counts = new Map<string, number>();
  for (const experiment of experiments) {
    const group = groupOf(rule, experiment);
    counts.set(group, (counts.get(group) ?? 0) + 1);
  }
  return Math.max(...counts.values());
};

/** Why these trials are too few for the rule. */
export const refuseTrials = (rule: EarlyStopping, experiments: readonly Experiment[]): Refusal | undefined => {
  const [others, needed] = [largestGroup(rule, experiments) - 1, rule.rule === 'median' ? rule.min_trials : 1];
  const within = rule.within.length === 0 ? '' : ` with the same ${rule.within.join(', ')}`;
  return refuseIf(
    others < needed,
    [rule.rule === 'median' ? `${section}.min_trials` : section],
    `no trial can be compared with ${needed} ${needed === 1 ? 'other' : 'others'}${within}: there are ${others}`,
    others === 0 ? 'more trials, or fewer axes in `within`' : `\`min_trials: ${others}\`, or more trials`,
  );
};
