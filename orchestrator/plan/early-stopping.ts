/**
 * The rules by which a trial of a sweep is cut. Both look at the held-out pose error of all trials at one step, at
 * whatever time each of them got there: nobody waits for anybody.
 */
import type { EarlyStopping, TrialCut } from '../contracts/sweep.ts';
import { canonicalJson } from './canonical.ts';

/** Step → held-out pose error; null where it was not finite, which is worse than any number. */
export type Curve = ReadonlyMap<number, number | null>;

export interface Rival {
  trial: string;
  curve: Curve;
}

/** Why a trial is cut. */
export type CutReason = Pick<TrialCut, 'value' | 'threshold' | 'compared_with'>;

type Ruled<R extends EarlyStopping['rule']> = Extract<EarlyStopping, { rule: R }>;
type Rule<R extends EarlyStopping['rule']> = (
  rule: Ruled<R>,
  step: number,
  own: Curve,
  others: readonly number[],
) => { value: number; threshold: number } | undefined;

const numberOf = (value: number | null): number => value ?? Number.POSITIVE_INFINITY;
const numberOrNull = (value: number): number | null => (Number.isFinite(value) ? value : null);
const ascending = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b);
const valueAt = (curve: Curve, step: number): number[] => {
  const value = curve.get(step);
  return value === undefined ? [] : [numberOf(value)];
};

/** The mean of the two in the middle where their number is even. */
const medianOf = (values: readonly number[]): number => {
  const sorted = ascending(values);
  const at = (index: number) => sorted[index] ?? Number.NaN;
  const half = sorted.length / 2;
  return (at(Math.ceil(half) - 1) + at(Math.floor(half))) / 2;
};

/** The least so far. Step 0 is left out: what all trials begin with says nothing of one of them. */
const bestUpTo = (curve: Curve, step: number): number =>
  Math.min(...[...curve].flatMap(([at, value]) => (at > 0 && at <= step ? [numberOf(value)] : [])));

/**
 * The median stopping rule of Google Vizier (Golovin et al., KDD 2017) as Optuna's `MedianPruner` has it: the best of the
 * trial so far against the median of the others at this step. Both count finished trials alone; here every trial counts
 * that has got to this step, those that were cut there or later included.
 */
const median: Rule<'median'> = ({ min_steps, min_trials }, step, own, others) =>
  step < min_steps || others.length < min_trials
    ? undefined
    : { value: bestUpTo(own, step), threshold: medianOf(others) };

const isRung = (step: number, { min_steps, eta }: Ruled<'successive_halving'>): boolean => {
  let rung = min_steps;
  while (rung < step) rung *= eta;
  return rung === step;
};

/**
 * Asynchronous successive halving: Li et al., A System for Massively Parallel Hyperparameter Tuning, MLSys 2020 (2018),
 * Algorithm 2, in the form that stops trials instead of promoting them, as Optuna's `SuccessiveHalvingPruner` does: of
 * the n at a rung so far, this one included, the best max(1, floor(n / eta)) go on.
 */
const successiveHalving: Rule<'successive_halving'> = (rule, step, own, others) => {
  const [value] = valueAt(own, step);
  if (value === undefined || !isRung(step, rule)) return undefined;
  const arrived = ascending([value, ...others]);
  const kept = Math.max(1, Math.floor(arrived.length / rule.eta));
  return { value, threshold: arrived[kept - 1] ?? value };
};

const judge = (rule: EarlyStopping, step: number, own: Curve, others: readonly number[]) =>
  rule.rule === 'median' ? median(rule, step, own, others) : successiveHalving(rule, step, own, others);

/** Why the rule cuts a trial after this step; undefined where it goes on, or has no validation at this step. */
export const reasonToCut = (
  rule: EarlyStopping,
  step: number,
  own: Curve,
  rivals: readonly Rival[],
): CutReason | undefined => {
  if (step === 0 || !own.has(step)) return undefined;
  const arrived = rivals.filter(({ curve }) => curve.has(step));
  const others = arrived.flatMap(({ curve }) => valueAt(curve, step));
  const found = judge(rule, step, own, others);
  if (found === undefined || found.value <= found.threshold) return undefined;
  const [value, threshold] = [numberOrNull(found.value), numberOrNull(found.threshold)];
  return { value, threshold, compared_with: arrived.map(({ trial }) => trial) };
};

/** The cut of a trial that still holds: the last one made by the very rule that the sweep has now. */
export const standingCut = (
  cuts: readonly TrialCut[],
  trial: string,
  rule: EarlyStopping | null,
): TrialCut | undefined =>
  cuts.findLast(cut => cut.trial === trial && rule !== null && canonicalJson(cut.rule) === canonicalJson(rule));

const shown = (value: number | null): string => (value === null ? 'not finite' : value.toPrecision(3));

/** `cut at step 40: median, 0.0123 > 0.00912 among 5 others` */
export const describeCut = ({ step, rule: { rule }, value, threshold, compared_with }: TrialCut): string =>
  `cut at step ${step}: ${rule}, ${shown(value)} > ${shown(threshold)} among ${compared_with.length} ${compared_with.length === 1 ? 'other' : 'others'}`;
