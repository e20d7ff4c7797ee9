import type { Schedule } from '../contracts/schedule.ts';
import { PosetwinError } from '../errors.ts';
import { cumulate, type StepAlphas } from './steps.ts';

/** What cannot be computed at a step, by the name that messages use. */
export const singularQuantities = {
  q: 'Q',
  w: 'w(t)',
  score_weight: '1/(1 - alphas_cumprod)',
  one_step_gain: '1/sqrt(alphas_cumprod)',
  alphas_cumprod: 'alphas_cumprod',
} as const;

export interface SingularStep {
  /** 1 … T */
  t: number;
  quantity: keyof typeof singularQuantities;
  /** `undefined` is 0/0; `underflow`: not 0, but below the smallest normal float64 */
  kind: 'infinite' | 'undefined' | 'underflow';
}

/** The smallest normal float64. */
export const MIN_NORMAL = 2 ** -1022;

interface Step {
  t: number;
  alpha: number;
  beta: number;
  alpha_cumprod: number;
  log_alpha_cumprod: number;
}

const ofStep = ({ t, alpha, beta, alpha_cumprod, log_alpha_cumprod }: Step): SingularStep[] => {
  const clean = log_alpha_cumprod === 0;
  const found: (SingularStep | false)[] = [
    beta === 0 && { t, quantity: 'q', kind: 'infinite' },
    // 1 − ᾱ_t is 0 only where every beta up to t is 0: w is 0/0 there.
    (alpha === 0 || clean) && { t, quantity: 'w', kind: clean ? 'undefined' : 'infinite' },
    clean && { t, quantity: 'score_weight', kind: 'infinite' },
    log_alpha_cumprod === -Infinity && { t, quantity: 'one_step_gain', kind: 'infinite' },
    log_alpha_cumprod > -Infinity && alpha_cumprod < MIN_NORMAL && { t, quantity: 'alphas_cumprod', kind: 'underflow' },
  ];
  return found.filter(step => step !== false);
};

/** Every (t, quantity) that is infinite, undefined or lost to underflow. */
export const findSingular = (steps: StepAlphas): SingularStep[] =>
  steps.alphas.flatMap((alpha, index) =>
    ofStep({
      t: index + 1,
      alpha,
      beta: steps.betas[index] ?? Number.NaN,
      alpha_cumprod: steps.alphas_cumprod[index] ?? Number.NaN,
      log_alpha_cumprod: steps.log_alphas_cumprod[index] ?? Number.NaN,
    }),
  );

/** Holds singular α_t `eps` away from 0 and 1, all others stay; an underflowing ᾱ_t becomes the smallest normal. */
export const clampSteps = ({ alphas, betas }: StepAlphas, eps: number): StepAlphas => {
  const pick = (values: readonly number[], atZero: number, atOne: number) =>
    values.map((value, index) => (alphas[index] === 0 ? atZero : betas[index] === 0 ? atOne : value));
  const logs = pick(
    alphas.map(alpha => Math.log(alpha)),
    Math.log(eps),
    Math.log1p(-eps),
  );
  const clamped = cumulate(pick(alphas, eps, 1 - eps), pick(betas, 1 - eps, eps), logs);
  return { ...clamped, alphas_cumprod: clamped.alphas_cumprod.map(value => Math.max(value, MIN_NORMAL)) };
};

const MOST_NAMED = 4;

/** Throws `singular_schedule` naming steps, quantities and remedies. */
export const refuseSingular = (singular: readonly SingularStep[], { kind }: Pick<Schedule, 'kind'>): void => {
  if (singular.length === 0) return;
  const named = singular
    .slice(0, MOST_NAMED)
    .map(step => `${singularQuantities[step.quantity]} is ${step.kind} at t = ${step.t}`);
  const more = singular.length > MOST_NAMED ? ` (and ${singular.length - MOST_NAMED} more)` : '';
  throw new PosetwinError('singular_schedule', `the ${kind} schedule is singular: ${named.join(', ')}${more}`, {
    path: 'schedule.singular',
    hint: '`singular: drop` never trains on such a t; `singular: clamp` keeps `eps` away, but eps then sets Q; or choose another schedule',
  });
};
