import type { Schedule } from '../contracts/schedule.ts';
import { PosetwinError } from '../errors.ts';
import { fromAlphas, fromAlphasCumprod, fromBetas, type StepAlphas } from './steps.ts';

type Arithmetic = Extract<Schedule, { kind: 'arithmetic' }>;
type Of = Arithmetic['of'];

/** `count` numbers from start to end, both exact; `start` alone when there is one. */
export const linspace = (start: number, end: number, count: number): number[] => {
  const step = (end - start) / (count - 1);
  return Array.from({ length: count }, (_, index) =>
    index > 0 && index === count - 1 ? end : start + (index === 0 ? 0 : index * step),
  );
};

const sound = ['alphas ascending', 'alphas descending', 'betas ascending', 'alphas_cumprod descending'];

const outOfRange = (message: string, hint: string): PosetwinError =>
  new PosetwinError('out_of_range', message, { path: 'schedule.values', hint });

const checkValues = (of: Of, values: readonly number[]): void => {
  if (values.length === 0) throw outOfRange('a schedule needs at least one step', 'set num_steps to 1 or more');
  const wrong = values.findIndex(value => !(value >= 0 && value <= 1));
  if (wrong >= 0) throw outOfRange(`${of} is ${values[wrong]} at t = ${wrong + 1}`, 'every value lies between 0 and 1');
};

/** ᾱ is a product of factors in [0, 1]: it cannot grow, and after a 0 its factors are 0/0. */
const checkCumprod = (values: readonly number[]): void => {
  const rises = values.findIndex((value, index) => value > (values[index - 1] ?? 1));
  if (rises >= 0)
    throw outOfRange(`alphas_cumprod rises at t = ${rises + 1}`, 'list alphas_cumprod from the cleanest step on');
  const zero = values.indexOf(0);
  if (zero >= 0 && zero < values.length - 1)
    throw outOfRange(`alphas_cumprod is 0 at t = ${zero + 1}, before the last step`, 'let only the last value be 0');
};

/** Steps from the values of any of the three quantities. Throws `out_of_range`. */
export const fromValues = (of: Of, values: readonly number[]): StepAlphas => {
  checkValues(of, values);
  if (of === 'alphas') return fromAlphas(values);
  if (of === 'betas') return fromBetas(values);
  checkCumprod(values);
  return fromAlphasCumprod(values);
};

/** "An arithmetic progression", in one of the four sound readings. Throws `refused_combination`, `out_of_range`. */
export const progression = ({ of, order, start, end, num_steps }: Arithmetic): StepAlphas => {
  if (!sound.includes(`${of} ${order}`))
    throw new PosetwinError(
      'refused_combination',
      `${of} cannot run ${order}: alphas_cumprod is 0 or alphas exceed 1`,
      {
        path: 'schedule.order',
        hint: `choose one of: ${sound.join(', ')}`,
      },
    );
  if (start > end)
    throw new PosetwinError('refused_combination', `start ${start} is above end ${end}`, {
      path: 'schedule.start',
      hint: 'start is the smaller value; `order: descending` runs from end to start',
    });
  const ascending = linspace(start, end, num_steps);
  return fromValues(of, order === 'ascending' ? ascending : ascending.reverse());
};
