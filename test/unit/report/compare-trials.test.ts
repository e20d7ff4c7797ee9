import { describe, expect, it } from 'vitest';
import { rankTrials, type TrialResult } from '../../../orchestrator/report/compare-trials.ts';

interface Given {
  drift?: number[];
  /** errors of the primary adapter on the same pairs */
  primary?: number[];
  held_out?: string;
}

const trial = (schedule: string, seed: number, errors: number[], given: Given = {}): TrialResult => {
  const { drift = [], primary = errors, held_out = `seed ${seed}` } = given;
  const values = { scene_drift: drift, attribute_accuracy: [] };
  return {
    assignment: { schedule, seed },
    seed,
    held_out,
    secondary: { keypoint_error_px: errors, ...values },
    primary: { keypoint_error_px: primary, ...values },
  };
};

describe('trials of a sweep', () => {
  it('are grouped by all but their seed and ranked by their mean over seeds', () => {
    const groups = rankTrials(
      [
        trial('linear', 1, [3, 5], { drift: [0.1, 0.1] }),
        trial('linear', 2, [6, 6], { drift: [0.3, 0.3] }),
        trial('patent-beta', 1, [2, 2], { drift: [0.9, 0.9] }),
        trial('patent-beta', 2, [3, 3], { drift: [0.7, 0.7] }),
      ],
      'keypoint_error_px',
    );
    expect(groups).toMatchObject([
      { assignment: { schedule: 'patent-beta' }, seeds: [1, 2], rank: { keypoint_error_px: 1, scene_drift: 2 } },
      { assignment: { schedule: 'linear' }, seeds: [1, 2], rank: { keypoint_error_px: 2, scene_drift: 1 } },
    ]);
    // Means of the seeds: 4 and 6, 2 and 3.
    expect(groups.map(({ keypoint_error_px }) => keypoint_error_px.mean)).toEqual([2.5, 5]);
    expect(groups[0]?.against_best).toBeNull();
    expect(groups[1]?.against_best).toMatchObject({ mean_difference: 2.5, paired_by: 'seed', num: 2 });
  });

  it('are paired seed by seed, so that what the seeds have in common cancels', () => {
    const seeds = [1, 2, 3, 4, 5];
    const groups = rankTrials(
      [...seeds.map(seed => trial('a', seed, [10 * seed])), ...seeds.map(seed => trial('b', seed, [10 * seed + 1]))],
      'keypoint_error_px',
    );
    // Unpaired, the intervals of 10 … 50 overlap; paired, the difference is 1 at every seed.
    expect(groups[1]?.against_best).toMatchObject({ mean_difference: 1, low: 1, high: 1, judgement: 'worse' });
    // Differences without any spread have no standardised size.
    expect(groups[1]?.against_best?.effect_size).toBeNull();
  });

  it('have the effect size of paired differences: their mean over their standard deviation', () => {
    const differences = [1, 2, 3];
    const trials = differences.flatMap((difference, seed) => [
      trial('a', seed, [5]),
      trial('b', seed, [5 + difference]),
    ]);
    // Mean 2, standard deviation 1 (n - 1).
    expect(rankTrials(trials, 'keypoint_error_px')[1]?.against_best?.effect_size).toBeCloseTo(2, 12);
    expect(rankTrials(trials.slice(0, 4), 'keypoint_error_px')[1]?.against_best?.effect_size).toBeNull();
  });

  it('are set against the primary adapter that they start from', () => {
    const [group] = rankTrials([trial('a', 1, [1, 2, 3], { primary: [2, 4, 6] })], 'keypoint_error_px');
    // Every pair has half the error: the ratio of means is 0.5 whatever is resampled, the differences are 1, 2, 3.
    expect(group?.against_primary.keypoint_error_px).toMatchObject({
      ratio: { mean: 0.5, low: 0.5, high: 0.5 },
      ...{ mean_difference: -2, paired_by: 'pair', num: 3, judgement: 'undecided' },
    });
    expect(group?.against_primary.scene_drift).toBeNull();
    const five = [1, 2, 3, 4, 5].map(seed => trial('a', seed, [1], { primary: [2] }));
    const [better] = rankTrials(five, 'keypoint_error_px');
    expect(better?.against_primary.keypoint_error_px).toMatchObject({ paired_by: 'seed', judgement: 'better' });
  });

  it('are not judged by a handful of seeds that agree', () => {
    const two = [1, 2].flatMap(seed => [trial('a', seed, [1]), trial('b', seed, [2])]);
    const [, second] = rankTrials(two, 'keypoint_error_px');
    expect(second?.against_best).toMatchObject({ low: 1, paired_by: 'seed', judgement: 'undecided' });
  });

  it('of one seed are paired by held-out pair, of different seeds or pairs not at all', () => {
    const [, second] = rankTrials([trial('a', 1, [1, 2, 3]), trial('b', 1, [4, 2, 3])], 'keypoint_error_px');
    expect(second?.against_best).toMatchObject({ mean_difference: 1, paired_by: 'pair', judgement: 'undecided' });
    const [, other] = rankTrials([trial('a', 1, [1]), trial('b', 2, [4])], 'keypoint_error_px');
    expect(other?.against_best).toBeNull();
    const elsewhere = [trial('a', 1, [1, 2]), trial('b', 1, [4, 2], { held_out: 'other pairs' })];
    expect(rankTrials(elsewhere, 'keypoint_error_px')[1]?.against_best).toBeNull();
  });

  it('without a measured drift come last by drift', () => {
    const groups = rankTrials([trial('a', 1, [1]), trial('b', 1, [2], { drift: [0.5] })], 'scene_drift');
    expect(groups.map(({ assignment, rank }) => [assignment.schedule, rank.scene_drift])).toEqual([
      ['b', 1],
      ['a', null],
    ]);
  });
});
