import { describe, expect, it } from 'vitest';
import { Experiment } from '../../../orchestrator/contracts/experiment.ts';
import { estimateStages, smokeOf } from '../../../orchestrator/plan/smoke.ts';
import { experiment } from './experiment.ts';

const whole = experiment({
  train: { max_train_steps: 300, global_batch_size: 8 },
  evaluate: { num_pairs: 48, batch_size: 16 },
  audit: { num_pairs: 4, batch_size: 16 },
});

describe('a smoke run', () => {
  it('is two steps and a batch of pairs of the same experiment, under its own name', () => {
    const small = smokeOf(whole);
    expect(small).toEqual({
      ...whole,
      name: `${whole.name}-smoke`,
      train: { ...whole.train, max_train_steps: 2 },
      evaluate: { ...whole.evaluate, num_pairs: 16 },
      audit: { ...whole.audit, num_pairs: 1 },
    });
    expect(smokeOf(experiment({ primary: { train: { max_train_steps: 9 } } })).primary?.train.max_train_steps).toBe(2);
  });

  it('has a name that is allowed, and is never more than the experiment', () => {
    const longest = smokeOf({ ...whole, name: 'x'.repeat(64) });
    expect(Experiment.parse(longest).name).toBe(`${'x'.repeat(58)}-smoke`);
    const tiny = experiment({ train: { max_train_steps: 1 }, evaluate: { num_pairs: 3 }, audit: { num_pairs: 1 } });
    expect(smokeOf(tiny)).toEqual({ ...tiny, name: `${tiny.name}-smoke` });
  });
});

describe('an estimate', () => {
  const times = {
    stages: { assemble: 4, cache: 10, train: 9, baseline: 20, evaluate: 8, audit: 6, figures: 5 },
    steps: { primary: null, train: 1.5 },
  };

  it('takes training by its steps, evaluations by their pairs, all else as it was', () => {
    // 9 + 298 * 1.5 = 456; three batches of pairs instead of one, four audited pairs.
    const seconds = { assemble: 4, cache: 10, train: 456, baseline: 60, evaluate: 24, audit: 24, figures: 5 };
    expect(estimateStages(whole, whole, times)).toEqual(seconds);
  });

  it('of a larger batch is in proportion to it', () => {
    const larger = experiment({ ...whole, train: { max_train_steps: 102, global_batch_size: 16 } });
    // 9 + 100 * 1.5 * 16 / 8
    expect(estimateStages(larger, whole, times).train).toBe(309);
  });

  it('knows the training of a primary', () => {
    const both = experiment({ ...whole, primary: { train: { max_train_steps: 12 } } });
    const found = estimateStages(both, both, { stages: { primary: 7 }, steps: { primary: 0.5, train: null } });
    expect(found).toEqual({ primary: 7 + 10 * 0.5 });
  });
});
