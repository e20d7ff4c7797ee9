import type { Schedule } from '../contracts/schedule.ts';
import { diagnose } from './diagnostics.ts';
import { respace } from './pretrained.ts';
import { fromValues, progression } from './progression.ts';
import { clampSteps, findSingular, refuseSingular, type SingularStep } from './singular.ts';
import { oneMinus, type StepAlphas } from './steps.ts';
import type { ScheduleTable } from './table.ts';

const stepsOf = (config: Schedule): { steps: StepAlphas; train_timesteps: number[] | null } => {
  if (config.kind === 'arithmetic') return { steps: progression(config), train_timesteps: null };
  if (config.kind === 'list') return { steps: fromValues(config.of, config.values), train_timesteps: null };
  return respace(config);
};

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

const at = (values: readonly number[], index: number): number => values[index] ?? Number.NaN;

/** w(t) = (1 − α_t) / (2 α_t (1 − ᾱ_t)), Eq. 13. */
const weights = ({ alphas, betas, log_alphas_cumprod }: StepAlphas): (number | null)[] =>
  alphas.map((alpha, index) => finite(at(betas, index) / (2 * alpha * oneMinus(at(log_alphas_cumprod, index)))));

const distinct = (singular: readonly SingularStep[]): number[] => [...new Set(singular.map(({ t }) => t))];

/**
 * The schedule of Eq. 9-13 and 37 under one of its readings.
 * Throws `singular_schedule` under `singular: error`, `refused_combination`, `out_of_range`.
 */
export const buildSchedule = (config: Schedule): ScheduleTable => {
  const { steps: given, train_timesteps } = stepsOf(config);
  const singular = findSingular(given);
  if (config.singular === 'error') refuseSingular(singular, config);
  const clamping = config.singular === 'clamp' && singular.length > 0;
  const steps = clamping ? clampSteps(given, config.eps) : given;
  const touched = distinct(singular);
  const table = {
    num_steps: steps.alphas.length,
    kind: config.kind,
    alphas: steps.alphas,
    alphas_cumprod: steps.alphas_cumprod,
    log_alphas_cumprod: steps.log_alphas_cumprod.map(finite),
    w: weights(steps),
    odds: steps.alphas.map((alpha, index) => finite(alpha / at(steps.betas, index))),
    singular,
    dropped: config.singular === 'drop' ? touched : [],
    clamped: clamping ? touched : [],
    train_timesteps,
  };
  return { ...table, diagnostics: diagnose(table) };
};

/** Index t − 1: whether t is trained on. */
export const trainableSteps = ({ num_steps, dropped }: ScheduleTable): boolean[] =>
  Array.from({ length: num_steps }, (_, index) => !dropped.includes(index + 1));
