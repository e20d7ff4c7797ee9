import { describe, expect, it } from 'vitest';
import { rankTrials, type TrialResult } from '../../../../orchestrator/report/compare-trials.ts';
import { conclude } from '../../../../orchestrator/report/sweep/conclusion.ts';

/** A trial of one held-out pair; its primary is 10 px off. */
const trial = (schedule: string, seed: number, error: number): TrialResult => {
  const rest = { scene_drift: [], attribute_accuracy: [] };
  return {
    assignment: { schedule, seed },
    seed,
    held_out: '',
    secondary: { keypoint_error_px: [error], ...rest },
    primary: { keypoint_error_px: [10], ...rest },
  };
};

const sentenceOf = (errors: Record<string, number[]>): string | undefined => {
  const trials = Object.entries(errors).flatMap(([name, list]) => list.map((error, seed) => trial(name, seed, error)));
  return conclude(rankTrials(trials, 'keypoint_error_px'), 'keypoint_error_px');
};

describe('the conclusion of a sweep', () => {
  it('says that the best is no more than noise where the interval has 0 in it', () => {
    // Differences -1, 1, 2: mean 0.667, s 1.528, and t of two degrees of freedom is 4.303: 0.667 ± 3.795.
    expect(sentenceOf({ 'patent-beta': [5, 5, 5], linear: [4, 6, 7] })).toBe(
      'By keypoint error, patent-beta is not distinguishable from linear (0.67 px [-3.13, 4.46], 3 seeds); ' +
        'it is better than its primary adapter (by 5.00 px [5.00, 5.00], 3 seeds).',
    );
  });

  it('calls nothing better by fewer than three seeds, and says so', () => {
    expect(sentenceOf({ a: [1, 1], b: [2, 2] })).toContain(
      'a is ahead of b (1.00 px [1.00, 1.00], 2 seeds; fewer than 3 decide nothing)',
    );
    expect(sentenceOf({ a: [1, 1, 1, 1, 1], b: [2, 2, 2, 2, 2] })).toBe(
      'By keypoint error, a is better than b (by 1.00 px [1.00, 1.00], 5 seeds); ' +
        'it is better than its primary adapter (by 9.00 px [9.00, 9.00], 5 seeds).',
    );
  });

  it('says where even the best is worse than the adapter it came from', () => {
    expect(sentenceOf({ a: [12, 12, 12, 12, 12] })).toBe(
      'By keypoint error, a is the only setting with a result; ' +
        'it is worse than its primary adapter (by 2.00 px [2.00, 2.00], 5 seeds).',
    );
  });

  it('has nothing to say of nothing', () => {
    expect(sentenceOf({})).toBeUndefined();
    expect(conclude(rankTrials([trial('a', 0, 1)], 'scene_drift'), 'scene_drift')).toBeUndefined();
  });
});
