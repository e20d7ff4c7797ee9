import { PosetwinError } from '../errors.ts';

export const qReadings = ['expectation', 'printed-sum', 'per-step'] as const;
export type QReading = (typeof qReadings)[number];

const checkNumber = (q: number): number => {
  if (!(Number.isFinite(q) && q > 0))
    throw new PosetwinError('out_of_range', `Q is ${q}`, { path: 'method.q', hint: 'Q is positive and finite' });
  return q;
};

const usable = (odds: readonly (number | null)[]): { t: number; odds: number }[] => {
  const kept = odds.flatMap((value, index) => (value === null ? [] : [{ t: index + 1, odds: value }]));
  if (kept.length === 0)
    throw new PosetwinError('singular_schedule', 'Q is infinite: alphas is 1 at every step', {
      path: 'schedule',
      hint: 'choose a schedule with at least one step that adds noise',
    });
  return kept;
};

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/**
 * Q of Eq. 37. `expectation` is its left side 2·E_t[α_t/(1−α_t)], `printed-sum` its right side 2·Σ_t t·α_t/(1−α_t),
 * `per-step` gives 2α_t/(1−α_t) for each t (null where infinite), a number is itself. Steps with α_t = 1 are left out.
 * Throws `out_of_range` where Q is not positive and finite, `singular_schedule` where no step is left.
 */
export const resolveQ = (
  { odds }: { odds: readonly (number | null)[] },
  reading: QReading | number,
): number | (number | null)[] => {
  if (typeof reading === 'number') return checkNumber(reading);
  const kept = usable(odds);
  if (reading === 'per-step') return odds.map(value => (value === null ? null : 2 * value));
  if (reading === 'printed-sum') return checkNumber(2 * total(kept.map(step => step.odds * step.t)));
  return checkNumber((2 * total(kept.map(step => step.odds))) / kept.length);
};

/** Q under every reading; null where a reading gives none for this schedule. */
export const everyQ = (table: {
  odds: readonly (number | null)[];
}): Record<QReading, number | (number | null)[] | null> => {
  const attempt = (reading: QReading) => {
    try {
      return resolveQ(table, reading);
    } catch (error) {
      if (error instanceof PosetwinError) return null;
      throw error;
    }
  };
  return {
    expectation: attempt('expectation'),
    'printed-sum': attempt('printed-sum'),
    'per-step': attempt('per-step'),
  };
};
