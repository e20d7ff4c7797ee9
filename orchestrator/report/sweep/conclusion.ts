/** What a comparison comes to, in one plain sentence. */
import { type Difference, fewestToJudge, type Measure, type RankedGroup } from '../compare-trials.ts';
import { count } from '../text.ts';
import { settingName } from './labels.ts';

const units: Record<Measure, { name: string; unit: string; digits: number }> = {
  keypoint_error_px: { name: 'keypoint error', unit: ' px', digits: 2 },
  scene_drift: { name: 'scene drift', unit: '', digits: 4 },
};

/** `0.10 px [-0.20, 0.40], 3 seeds`; the sign is that of `sign` times the difference. */
const amount = ({ mean_difference, low, high, num, paired_by }: Difference, measure: Measure, sign: 1 | -1): string => {
  const { unit, digits } = units[measure];
  const [first, last] = sign === 1 ? [low, high] : [-high, -low];
  const text = (value: number) => (value === 0 ? 0 : value).toFixed(digits);
  const of = count(num, paired_by);
  return `${text(sign * mean_difference)}${unit} [${text(first)}, ${text(last)}], ${of}`;
};

/** What the difference lets one say of `this − that`, less being better. */
const relation = (difference: Difference, measure: Measure, that: string): string => {
  const { low, high, num, judgement, paired_by } = difference;
  // Pairs of one seed say nothing about other seeds.
  const where = paired_by === 'pair' ? ' at their one seed' : '';
  if (judgement === 'better') return `better than ${that}${where} (by ${amount(difference, measure, -1)})`;
  if (judgement === 'worse') return `worse than ${that}${where} (by ${amount(difference, measure, 1)})`;
  if (num < fewestToJudge[paired_by] && (low > 0 || high < 0)) {
    const [way, sign] = high < 0 ? (['ahead of', -1] as const) : (['behind', 1] as const);
    return `${way} ${that}${where} (${amount(difference, measure, sign)}; fewer than ${fewestToJudge[paired_by]} decide nothing)`;
  }
  return `not distinguishable from ${that}${where} (${amount(difference, measure, -1)})`;
};

/** `best − second` from `second − best`. */
const reversed = ({ mean_difference, low, high, effect_size, judgement, ...rest }: Difference): Difference => ({
  ...rest,
  ...{ mean_difference: -mean_difference, low: -high, high: -low },
  effect_size: effect_size === null ? null : -effect_size,
  judgement: judgement === 'worse' ? 'better' : judgement === 'better' ? 'worse' : 'undecided',
});

const againstSecond = ([, second]: readonly RankedGroup[], measure: Measure): string => {
  if (second === undefined) return 'the only setting with a result';
  const name = settingName(second.assignment);
  if (second.against_best === null) return `first, but not comparable with ${name}: they share no seed and pairs`;
  return relation(reversed(second.against_best), measure, name);
};

/**
 * Whether the first of the ranked groups is more than noise: against the second, and against the primary adapter it
 * started from. undefined where there is no group with a value of `measure`.
 */
export const conclude = (groups: readonly RankedGroup[], measure: Measure): string | undefined => {
  const [best] = groups;
  if (best === undefined || best.rank[measure] === null) return undefined;
  const measured = groups.filter(({ rank }) => rank[measure] !== null);
  const primary = best.against_primary[measure];
  const itself =
    primary === null ? 'not compared with its primary adapter' : relation(primary, measure, 'its primary adapter');
  return `By ${units[measure].name}, ${settingName(best.assignment)} is ${againstSecond(measured, measure)}; it is ${itself}.`;
};
