import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ExperimentInput } from '../../../orchestrator/contracts/experiment.ts';
import type { SweepTrial } from '../../../orchestrator/contracts/sweep.ts';
import { runId } from '../../../orchestrator/plan/run-id.ts';
import { changeTrials, countStages, singularNotes, withoutRepetition } from '../../../orchestrator/plan/sweep.ts';
import { experiment, plan } from './experiment.ts';

const trial = (seed: number, input: Partial<ExperimentInput> = {}): SweepTrial => {
  const resolved = experiment({ seed, ...input });
  return {
    id: runId(resolved),
    assignment: { seed },
    experiment: resolved,
    origins: {},
    singular: [],
    orphaned: false,
  };
};
const marksOf = ({ changes }: ReturnType<typeof changeTrials>): string[] =>
  changes.map(({ mark, trial: { assignment } }) => `${mark} ${assignment.seed}`);

describe('an edited sweep', () => {
  it('adds, keeps and orphans trials, and takes back an orphan as new', () => {
    const first = changeTrials(
      [],
      [1, 2].map(seed => trial(seed)),
    );
    expect(marksOf(first)).toEqual(['+ 1', '+ 2']);
    const second = changeTrials(
      first.trials,
      [2, 3].map(seed => trial(seed)),
    );
    expect(marksOf(second)).toEqual(['= 2', '+ 3', '- 1']);
    expect(second.trials.map(({ orphaned }) => orphaned)).toEqual([false, false, true]);
    const third = changeTrials(
      second.trials,
      [1, 2, 3].map(seed => trial(seed)),
    );
    expect(marksOf(third)).toEqual(['+ 1', '= 2', '= 3']);
    expect(third.trials.every(({ orphaned }) => !orphaned)).toBe(true);
  });

  it('loses no trial that was ever frozen, and has each once', () => {
    const seeds = fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { maxLength: 6 });
    fc.assert(
      fc.property(fc.array(seeds, { minLength: 1, maxLength: 4 }), edits => {
        const frozen = edits.reduce<SweepTrial[]>(
          (before, now) =>
            changeTrials(
              before,
              now.map(seed => trial(seed)),
            ).trials,
          [],
        );
        const asked = frozen.filter(({ orphaned }) => !orphaned).map(({ assignment }) => assignment.seed);
        expect(asked).toEqual(edits.at(-1));
        const all = frozen.map(({ assignment }) => assignment.seed);
        expect(new Set(all)).toEqual(new Set(edits.flat()));
        expect(all).toHaveLength(new Set(all).size);
      }),
      { numRuns: 30 },
    );
  });
});

describe('a trial', () => {
  it('counts once when two assignments give the same experiment', () => {
    const [one, again, other] = [trial(1), { ...trial(1), assignment: { other: 'words' } }, trial(2)];
    expect(withoutRepetition([one, again, other])).toEqual([one, other]);
  });

  it('of a singular schedule says at which step, and what is done there', () => {
    const { schedule } = experiment({ schedule: { kind: 'arithmetic', num_steps: 5, singular: 'drop' } });
    // alpha_t runs up to 1: the last step alone adds no noise, so Q has no value there.
    expect(singularNotes(schedule)).toEqual([{ t: 5, quantity: 'Q', kind: 'infinite', handled: 'drop' }]);
    expect(singularNotes(experiment().schedule)).toEqual([]);
  });
});

describe('the stages of a sweep', () => {
  it('are counted once where trials share them', () => {
    const rates = [1e-4, 2e-4, 3e-4].map(learning_rate => plan({ train: { learning_rate } }));
    // assemble, cache, features and baseline do not depend on the rate.
    expect(countStages(rates)).toEqual({ total: 30, distinct: 4 + 3 * 6 });
    expect(countStages([plan(), plan({ seed: 1 })])).toEqual({ total: 20, distinct: 20 });
  });
});
