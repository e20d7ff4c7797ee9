import type { Schedule } from '../contracts/schedule.ts';
import { PosetwinError } from '../errors.ts';
import { linspace } from './progression.ts';
import { spaceTimesteps } from './spacing.ts';
import { accumulate, fromLogs, type StepAlphas } from './steps.ts';

export type PretrainedSchedule = Extract<Schedule, { num_train_timesteps: number }>;
type BetaSchedule = Pick<PretrainedSchedule, 'kind' | 'num_train_timesteps' | 'beta_start' | 'beta_end'>;

/**
 * 1 − ᾱ(t')/ᾱ(t) of diffusers' ᾱ(t) = cos²(π/2·(t + 0.008)/1.008) at t = index/N, t' = (index + 1)/N, with angles
 * counted from the zero of ᾱ and the difference of squares as a product: so β keeps its digits where it is tiny.
 */
const cosineBeta = (index: number, count: number): number => {
  const angle = (step: number) => ((1 - step / count) / 1.008) * (Math.PI / 2);
  const difference = Math.PI / 2 / (1.008 * count);
  return (Math.sin(difference) * Math.sin(angle(index) + angle(index + 1))) / Math.sin(angle(index)) ** 2;
};

/** β of the training schedule under its diffusers name, num_train_timesteps numbers in (0, 1). */
export const trainBetas = ({ kind, num_train_timesteps, beta_start, beta_end }: BetaSchedule): number[] => {
  if (kind === 'linear') return linspace(beta_start, beta_end, num_train_timesteps);
  if (kind === 'scaled_linear')
    return linspace(Math.sqrt(beta_start), Math.sqrt(beta_end), num_train_timesteps).map(root => root ** 2);
  return Array.from({ length: num_train_timesteps }, (_, index) =>
    Math.min(cosineBeta(index, num_train_timesteps), 0.999),
  );
};

/** The training schedule respaced to T: α_t is the product of the training alphas since the step before. */
export const respace = (config: PretrainedSchedule): { steps: StepAlphas; train_timesteps: number[] } => {
  const betas = trainBetas(config);
  if (!betas.every(beta => beta > 0 && beta < 1))
    throw new PosetwinError('out_of_range', 'a beta of the training schedule is not between 0 and 1', {
      path: 'schedule.beta_start',
      hint: 'set 0 < beta_start < beta_end < 1',
    });
  const train_timesteps = spaceTimesteps(config.spacing, config.num_steps, config.num_train_timesteps);
  const cumulative = accumulate(
    betas.map(beta => Math.log1p(-beta)),
    (a, b) => a + b,
  );
  return { steps: fromLogs(train_timesteps.map(timestep => cumulative[timestep] ?? Number.NaN)), train_timesteps };
};
