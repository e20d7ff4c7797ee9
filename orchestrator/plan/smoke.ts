/** The same experiment in small: enough to see that all of it works, and what a step and a batch of pairs cost. */
import type { Experiment } from '../contracts/experiment.ts';
import type { Train } from '../contracts/method.ts';
import type { StageName } from './versions.ts';

const smokeSteps = 2;
const suffix = '-smoke';
/** of a slug */
const longestName = 64;

const inSmall = (train: Train): Train => ({ ...train, max_train_steps: Math.min(smokeSteps, train.max_train_steps) });

/** The same name for the same experiment, and an allowed one. */
export const smokeName = (name: string): string => `${name.slice(0, longestName - suffix.length)}${suffix}`;

/** Two steps of each training, one batch of evaluated pairs, an audit of one pair; under a name of its own. */
export const smokeOf = (experiment: Experiment): Experiment => {
  const { name, train, primary, evaluate, audit } = experiment;
  return {
    ...experiment,
    name: smokeName(name),
    train: inSmall(train),
    primary: primary && { ...primary, train: inSmall(primary.train) },
    evaluate: { ...evaluate, num_pairs: Math.min(evaluate.batch_size, evaluate.num_pairs) },
    audit: { ...audit, num_pairs: 1 },
  };
};

/** What a smoke run took: each of its stages, and an optimiser step of its trainings, in seconds. */
export interface SmokeTimes {
  stages: Partial<Record<StageName, number>>;
  steps: { primary: number | null; train: number | null };
}

/**
 * Seconds of each stage of `experiment`, guessed from the smoke of `measured`: a training in proportion to its steps and
 * batch, baseline, evaluation and audit to their pairs; whatever else a run does, once and as long as the smoke.
 */
export const estimateStages = (
  experiment: Experiment,
  measured: Experiment,
  { stages, steps }: SmokeTimes,
): SmokeTimes['stages'] => {
  const training = (whole: Train | undefined, small: Train | undefined, step: number | null): number => {
    if (whole === undefined || small === undefined) return 0;
    const more = whole.max_train_steps - Math.min(smokeSteps, small.max_train_steps);
    return (more * (step ?? 0) * whole.global_batch_size) / small.global_batch_size;
  };
  const smoke = smokeOf(measured);
  const pairs = experiment.evaluate.num_pairs / smoke.evaluate.num_pairs;
  const guess: Partial<Record<StageName, (seconds: number) => number>> = {
    primary: seconds => seconds + training(experiment.primary?.train, measured.primary?.train, steps.primary),
    train: seconds => seconds + training(experiment.train, measured.train, steps.train),
    baseline: seconds => seconds * pairs,
    evaluate: seconds => seconds * pairs,
    audit: seconds => (seconds * experiment.audit.num_pairs) / smoke.audit.num_pairs,
  };
  const guessed = Object.entries(stages).map(([stage, seconds]) => [
    stage,
    guess[stage as StageName]?.(seconds) ?? seconds,
  ]);
  return Object.fromEntries(guessed);
};
