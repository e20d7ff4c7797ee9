import type { AuditAtT } from '../../contracts/results.ts';
import { oneMinus } from '../../schedule/index.ts';
import { type AuditInput, type AuditPoint, finite, mean, notMeasured, say } from './point.ts';

/** One t on noised states: ‖x‖², ‖y‖², ⟨x, y⟩ with the schedule's weights. */
interface Term {
  xx: number;
  yy: number;
  xy: number;
  /** ‖b − b_0‖² */
  pose: number;
  /** 1/(1 − ᾱ_t) */
  score_weight: number;
  w: number;
  odds: number;
}

const number = (value: number | null | undefined): number => value ?? Number.NaN;

const termAt = ({ table }: AuditInput, row: AuditAtT): Term => ({
  xx: number(row.noise_error_a),
  yy: number(row.noise_error_b),
  xy: number(row.inner_product),
  pose: number(row.noised_target_pose),
  score_weight: 1 / oneMinus(table.log_alphas_cumprod[row.t - 1]),
  w: number(table.w[row.t - 1]),
  odds: number(table.odds[row.t - 1]),
});

const termsOf = (input: AuditInput): Term[] => (input.measured?.per_t ?? []).map(row => termAt(input, row));

const missing = (point: number, title: string): AuditPoint =>
  notMeasured(point, title, 'The noise errors of both routes were not measured.');

/** Point 4: ‖x − y‖² <= ‖x‖² + ‖y‖² holds only where E[⟨x, y⟩/(1 − ᾱ_t)] >= 0. */
export const firstStep = (input: AuditInput): AuditPoint => {
  const [point, title, terms] = [4, 'Eq. 34, first step', termsOf(input)];
  const over = (value: (term: Term) => number) => mean(terms.map(term => term.score_weight * value(term)));
  const inner = over(({ xy }) => xy);
  const [left, right] = [over(({ xx, yy, xy }) => xx + yy - 2 * xy), over(({ xx, yy }) => xx + yy)];
  if (!(Number.isFinite(inner) && Number.isFinite(right))) return missing(point, title);
  const holds = left <= right;
  return {
    point,
    title,
    numbers: { left, right, inner_product: inner },
    verdict: holds ? 'fine' : 'fails',
    sentence: `The first inequality of Eq. 34 ${holds ? 'holds' : 'does not hold'} in this run (on noised states): ${say(left)} against ${say(right)}; it needs E[⟨x, y⟩/(1 − ᾱ_t)] >= 0, which is ${say(inner)} and not guaranteed.`,
  };
};

/** Point 5: E[XY] <= E[X]·E[Y] needs Cov_t(X, E[Y|t]) <= 0; X = 1/((1 − ᾱ_t) w(t)), Y = w(t)(‖x‖² + ‖y‖²). */
export const secondStep = (input: AuditInput): AuditPoint => {
  const [point, title, terms] = [5, 'Eq. 34, second step', termsOf(input)];
  const [x, y] = [(t: Term) => 2 * t.odds, (t: Term) => t.w * (t.xx + t.yy)];
  const joint = mean(terms.map(({ score_weight, xx, yy }) => score_weight * (xx + yy)));
  const product = mean(terms.map(x)) * mean(terms.map(y));
  if (!Number.isFinite(joint) || !Number.isFinite(product)) return missing(point, title);
  const holds = joint <= product;
  const simple =
    input.method.primary_weight === 'simple'
      ? ' The primary was trained with weight 1 instead of w(t), so that the derivation of Q does not apply at all.'
      : '';
  return {
    point,
    title,
    numbers: { left: joint, right: product, ratio: finite(joint / product), covariance: joint - product },
    verdict: holds && simple === '' ? 'fine' : holds ? 'caution' : 'fails',
    sentence: `The second step of Eq. 34 takes E[XY] <= E[X]E[Y] for Cauchy's inequality, which it is not; here ${say(joint)} ${holds ? '<=' : '>'} ${say(product)}, a ratio of ${say(joint / product)}.${simple}`,
  };
};

/** Point 6: Eq. 35's "∝" fixes no scale, so Q is a choice. */
export const scaleOfQ = (input: AuditInput): AuditPoint => {
  const [point, title, terms] = [6, 'Q is a choice', termsOf(input)];
  const factors = terms.map(({ score_weight, yy, pose }) => (score_weight * yy) / pose);
  const factor = mean(terms.map(({ score_weight, yy }) => score_weight * yy)) / mean(terms.map(({ pose }) => pose));
  if (!Number.isFinite(factor)) return missing(point, title);
  const { q } = input.verdict;
  // A picture that hits its pose exactly has no factor.
  const known = factors.filter(Number.isFinite);
  return {
    point,
    title,
    numbers: { q, factor, factor_by_t: factors.map(finite) },
    verdict: 'caution',
    sentence: `Eq. 35 puts a keypoint distance in the place of a latent residual: in this run the residual is ${say(factor)} times the distance (by t from ${say(Math.min(...known))} to ${say(Math.max(...known))}), while Q is ${say(q)}. Sharing stationary points fixes no factor: compare Q with fixed weights (\`method.q\`: a number).`,
  };
};
