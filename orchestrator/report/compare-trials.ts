/** Trials of a sweep side by side: grouped by all but their seed, ranked, and compared seed by seed. */
import { type Interval, meanInterval, meanOf, pairedBootstrap } from '../convergence/bootstrap.ts';
import { canonicalJson } from '../plan/canonical.ts';

/** What one finished trial has reached on each held-out pair, by the judge. */
export interface TrialResult {
  assignment: Record<string, unknown>;
  seed: number;
  keypoint_error_px: readonly number[];
  /** empty where nothing was measured */
  scene_drift: readonly number[];
}

export const measures = ['keypoint_error_px', 'scene_drift'] as const;
export type Measure = (typeof measures)[number];

/** Of the group beside the best one: its mean minus the best one's. */
export interface Against {
  mean_difference: number;
  low: number;
  high: number;
  /** what was resampled: seeds, or the held-out pairs of the one seed that both have */
  paired_by: 'seed' | 'pair';
  judgement: 'worse' | 'undecided';
}

export interface RankedGroup {
  /** without the seed */
  assignment: Record<string, unknown>;
  seeds: number[];
  keypoint_error_px: Interval;
  scene_drift: Interval | null;
  rank: Record<Measure, number | null>;
  /** null for the best group, and where the two share no seed */
  against_best: Against | null;
}

const options = { confidence: 0.95, seed: 0 };

/** Four that agree by chance are no rarity (1 in 8), and the interval of so few leaves out 0 whenever they do. */
const fewest = 5;

interface Group {
  assignment: Record<string, unknown>;
  trials: TrialResult[];
}

const withoutSeed = ({ seed, ...rest }: Record<string, unknown>): Record<string, unknown> => rest;

const groupsOf = (trials: readonly TrialResult[]): Group[] => {
  const groups = new Map<string, Group>();
  for (const trial of trials) {
    const assignment = withoutSeed(trial.assignment);
    const key = canonicalJson(assignment);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { assignment, trials: [trial] });
    else known.trials.push(trial);
  }
  return [...groups.values()];
};

/** One number for each seed; of a single seed one for each held-out pair. */
const samplesOf = ({ trials }: Group, measure: Measure): readonly number[] => {
  const measured = trials.map(trial => trial[measure]).filter(values => values.length > 0);
  return measured.length === 1 ? (measured[0] ?? []) : measured.map(meanOf);
};

const intervalOf = (group: Group, measure: Measure): Interval | null => {
  const samples = samplesOf(group, measure);
  return samples.length === 0 ? null : meanInterval(samples, options);
};

/** Values of both at the same seeds. */
const pairsOf = (group: Group, best: Group, measure: Measure): [readonly number[], readonly number[]][] =>
  group.trials.flatMap(trial => {
    const other = best.trials.find(({ seed }) => seed === trial.seed);
    return other === undefined || trial[measure].length === 0 || other[measure].length !== trial[measure].length
      ? []
      : [[trial[measure], other[measure]] as [readonly number[], readonly number[]]];
  });

const compare = (group: Group, best: Group, measure: Measure): Against | null => {
  const pairs = pairsOf(group, best, measure);
  const [first] = pairs;
  if (first === undefined) return null;
  const isOne = pairs.length === 1;
  const [mine, theirs] = isOne ? first : [pairs.map(([a]) => meanOf(a)), pairs.map(([, b]) => meanOf(b))];
  const difference = pairedBootstrap(mine, theirs, options);
  return {
    ...difference,
    paired_by: isOne ? 'pair' : 'seed',
    judgement: mine.length >= fewest && difference.low > 0 ? 'worse' : 'undecided',
  };
};

const rankOf = (values: readonly (number | null)[], value: number | null): number | null =>
  value === null ? null : 1 + values.filter(other => other !== null && other < value).length;

/** The groups, the best by `measure` first; those without a value of it last. */
export const rankTrials = (trials: readonly TrialResult[], measure: Measure): RankedGroup[] => {
  const groups = groupsOf(trials).map(group => ({
    group,
    keypoint_error_px: intervalOf(group, 'keypoint_error_px') ?? {
      mean: Number.NaN,
      low: Number.NaN,
      high: Number.NaN,
    },
    scene_drift: intervalOf(group, 'scene_drift'),
  }));
  const means = (of: Measure) => groups.map(group => group[of]?.mean ?? null);
  const [errors, drifts] = [means('keypoint_error_px'), means('scene_drift')];
  const ranked = groups.map(({ group, ...intervals }) => ({
    group,
    ...intervals,
    rank: {
      keypoint_error_px: rankOf(errors, intervals.keypoint_error_px.mean),
      scene_drift: rankOf(drifts, intervals.scene_drift?.mean ?? null),
    },
  }));
  ranked.sort((a, b) => (a.rank[measure] ?? Number.POSITIVE_INFINITY) - (b.rank[measure] ?? Number.POSITIVE_INFINITY));
  const [best] = ranked;
  return ranked.map(({ group, ...rest }) => ({
    assignment: group.assignment,
    seeds: group.trials.map(({ seed }) => seed),
    ...rest,
    against_best: best === undefined || group === best.group ? null : compare(group, best.group, measure),
  }));
};
