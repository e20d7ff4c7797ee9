/** Trials of a sweep side by side: grouped by all but their seed, ranked, and compared seed by seed. */
import type { Assignment } from '../contracts/sweep.ts';
import { type Interval, meanInterval, meanOf, pairedBootstrap, ratioInterval } from '../convergence/bootstrap.ts';
import { deviationOf, studentInterval } from '../convergence/student.ts';
import { canonicalJson } from '../plan/canonical.ts';
import type { Measured, RouteValues } from './sweep/record.ts';

/** What one finished trial has reached. */
export interface TrialResult extends Measured {
  assignment: Assignment;
  seed: number;
}

/** What ranks; less is better. */
export type Measure = 'keypoint_error_px' | 'scene_drift';

/** Two things compared where both were measured: the mean of one minus that of the other. */
export interface Difference {
  mean_difference: number;
  low: number;
  high: number;
  /**
   * Cohen's d_z: the mean of the paired differences over their standard deviation. null where that is 0, and of fewer
   * than three differences: the spread of two says next to nothing
   */
  effect_size: number | null;
  /** what the interval speaks of: seeds (Student's), or the held-out pairs of the one seed that both have (bootstrap) */
  paired_by: 'seed' | 'pair';
  /** how many seeds or pairs */
  num: number;
  /** never of fewer than `fewestToJudge` */
  judgement: 'better' | 'worse' | 'undecided';
}

export interface AgainstPrimary extends Difference {
  /** secondary over primary: the mean of the seeds' ratios of means, or of one seed the ratio itself; null where it has none */
  ratio: Interval | null;
}

export interface RankedGroup {
  /** without the seed */
  assignment: Assignment;
  seeds: number[];
  keypoint_error_px: Interval;
  scene_drift: Interval | null;
  attribute_accuracy: Interval | null;
  rank: Record<Measure, number | null>;
  /** this group minus the best one; null for the best group, and where the two share no seed */
  against_best: Difference | null;
  /** the secondary adapter minus the primary one of the same trials */
  against_primary: Record<Measure, AgainstPrimary | null>;
}

const options = { confidence: 0.95, seed: 0 };

/**
 * Student's interval knows how little two seeds say, but not how they scatter. Of resampled pairs, four that agree by
 * chance are no rarity (1 in 8), and the interval of so few leaves out 0 whenever they do.
 */
export const fewestToJudge: Readonly<Record<Difference['paired_by'], number>> = { seed: 3, pair: 5 };

interface Group {
  assignment: Assignment;
  trials: TrialResult[];
}

export const withoutSeed = ({ seed, ...rest }: Assignment): Assignment => rest;

/** Those that differ in nothing but their seed together, in the order of their first. */
export const groupBySetting = <T extends { assignment: Assignment }>(
  trials: readonly T[],
): { assignment: Assignment; trials: T[] }[] => {
  const groups = new Map<string, { assignment: Assignment; trials: T[] }>();
  for (const trial of trials) {
    const assignment = withoutSeed(trial.assignment);
    const key = canonicalJson(assignment);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { assignment, trials: [trial] });
    else known.trials.push(trial);
  }
  return [...groups.values()];
};

/** Over the seeds; of a single seed over its held-out pairs. */
const intervalOf = ({ trials }: Group, measure: keyof RouteValues): Interval | null => {
  const measured = trials.map(({ secondary }) => secondary[measure]).filter(values => values.length > 0);
  const [first, ...others] = measured;
  if (first === undefined) return null;
  return others.length === 0 ? meanInterval(first, options) : studentInterval(measured.map(meanOf), options.confidence);
};

const minus = (mine: readonly number[], theirs: readonly number[]): number[] =>
  mine.map((value, index) => value - (theirs[index] ?? Number.NaN));

const effectSizeOf = (mine: readonly number[], theirs: readonly number[]): number | null => {
  const differences = minus(mine, theirs);
  const [mean, deviation] = [meanOf(differences), deviationOf(differences)];
  // Equal differences are not quite equal once they are rounded.
  const isSpread = deviation > 1e-12 * Math.abs(mean);
  return differences.length > 2 && isSpread ? mean / deviation : null;
};

const differenceBySeed = (mine: readonly number[], theirs: readonly number[]) => {
  const { mean, low, high } = studentInterval(minus(mine, theirs), options.confidence);
  return { mean_difference: mean, low, high };
};

/** Both lists are of one length, index for index of one seed or one pair. */
const differenceOf = (
  mine: readonly number[],
  theirs: readonly number[],
  paired_by: Difference['paired_by'],
): Difference => {
  const { mean_difference, low, high } =
    paired_by === 'seed' ? differenceBySeed(mine, theirs) : pairedBootstrap(mine, theirs, options);
  const judgement = low > 0 ? 'worse' : high < 0 ? 'better' : 'undecided';
  return {
    ...{ mean_difference, low, high },
    effect_size: effectSizeOf(mine, theirs),
    paired_by,
    num: mine.length,
    judgement: mine.length >= fewestToJudge[paired_by] ? judgement : 'undecided',
  };
};

type Pair = readonly [readonly number[], readonly number[]];

/** Of several seeds the means, of one its held-out pairs. */
const lists = (pairs: readonly Pair[]): { mine: readonly number[]; theirs: readonly number[]; by: 'seed' | 'pair' } => {
  const [first] = pairs;
  if (first !== undefined && pairs.length === 1) return { mine: first[0], theirs: first[1], by: 'pair' };
  return { mine: pairs.map(([a]) => meanOf(a)), theirs: pairs.map(([, b]) => meanOf(b)), by: 'seed' };
};

/** Values of both at the same seeds. */
const pairsOf = (group: Group, best: Group, measure: Measure): Pair[] =>
  group.trials.flatMap(trial => {
    const other = best.trials.find(({ seed }) => seed === trial.seed);
    const [mine, theirs] = [trial.secondary[measure], other?.secondary[measure] ?? []];
    return mine.length === 0 || theirs.length === 0 ? [] : [[mine, theirs] as const];
  });

/** Whether the one seed that both have was judged on the same pairs. */
const sharePairs = (group: Group, best: Group): boolean =>
  group.trials.some(({ seed, held_out }) =>
    best.trials.some(other => other.seed === seed && other.held_out === held_out),
  );

const againstBest = (group: Group, best: Group, measure: Measure): Difference | null => {
  const pairs = pairsOf(group, best, measure);
  const { mine, theirs, by } = lists(pairs);
  if (pairs.length === 0 || (by === 'pair' && !sharePairs(group, best))) return null;
  return differenceOf(mine, theirs, by);
};

const ratioBySeed = (mine: readonly number[], theirs: readonly number[]): Interval | null =>
  theirs.includes(0)
    ? null
    : studentInterval(
        mine.map((value, index) => value / (theirs[index] ?? Number.NaN)),
        options.confidence,
      );

const againstPrimary = ({ trials }: Group, measure: Measure): AgainstPrimary | null => {
  const pairs = trials
    .map(({ secondary, primary }): Pair => [secondary[measure], primary[measure]])
    .filter(([mine]) => mine.length > 0);
  if (pairs.length === 0) return null;
  const { mine, theirs, by } = lists(pairs);
  const ratio = by === 'seed' ? ratioBySeed(mine, theirs) : ratioInterval(mine, theirs, options);
  return { ...differenceOf(mine, theirs, by), ratio };
};

const rankOf = (values: readonly (number | null)[], value: number | null): number | null =>
  value === null ? null : 1 + values.filter(other => other !== null && other < value).length;

const unknown: Interval = { mean: Number.NaN, low: Number.NaN, high: Number.NaN };

/** The groups, the best by `measure` first; those without a value of it last. */
export const rankTrials = (trials: readonly TrialResult[], measure: Measure): RankedGroup[] => {
  const groups = groupBySetting(trials).map(group => ({
    group,
    keypoint_error_px: intervalOf(group, 'keypoint_error_px') ?? unknown,
    scene_drift: intervalOf(group, 'scene_drift'),
    attribute_accuracy: intervalOf(group, 'attribute_accuracy'),
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
    against_best: best === undefined || group === best.group ? null : againstBest(group, best.group, measure),
    against_primary: {
      keypoint_error_px: againstPrimary(group, 'keypoint_error_px'),
      scene_drift: againstPrimary(group, 'scene_drift'),
    },
  }));
};
