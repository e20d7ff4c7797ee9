import type { ResolvedSchedule } from '../contracts/job.ts';
import type { Method } from '../contracts/method.ts';
import type { Schedule } from '../contracts/schedule.ts';
import { PosetwinError } from '../errors.ts';
import {
  type BackboneSchedule,
  buildSchedule,
  resolveQ,
  type ScheduleTable,
  snrMatchedTimesteps,
  trainableSteps,
  trainingSchedule,
} from '../schedule/index.ts';

const ownIndices = ({ num_steps }: ScheduleTable, { num_train_timesteps }: BackboneSchedule): number[] => {
  if (num_steps > num_train_timesteps)
    throw new PosetwinError(
      'refused_combination',
      `the backbone has ${num_train_timesteps} timesteps: there is no index for t = ${num_train_timesteps + 1}`,
      { path: 'method.unet_timestep', hint: 'unet_timestep: snr-matched, or fewer steps' },
    );
  return Array.from({ length: num_steps }, (_, index) => index);
};

const timestepsOf = (table: ScheduleTable, { unet_timestep }: Method, backbone: BackboneSchedule): number[] =>
  unet_timestep === 'index'
    ? ownIndices(table, backbone)
    : snrMatchedTimesteps(table, trainingSchedule(backbone)).timesteps;

/** JSON has no -∞: where alphas_cumprod is 0, its logarithm is that of the smallest number above 0. */
const leastLog = Math.log(Number.MIN_VALUE);

/**
 * The schedule as the sampler needs it, float64, index t - 1. `backbone` is the schedule that the U-Net was trained on.
 * Throws `singular_schedule` (under `singular: error`), `refused_combination`, `out_of_range`.
 */
export const resolveSchedule = (schedule: Schedule, method: Method, backbone: BackboneSchedule): ResolvedSchedule => {
  const table = buildSchedule(schedule);
  const q = resolveQ(table, method.q);
  return {
    alphas: [...table.alphas],
    alphas_cumprod: [...table.alphas_cumprod],
    log_alphas_cumprod: table.log_alphas_cumprod.map(log => log ?? leastLog),
    timesteps: timestepsOf(table, method, backbone),
    trainable: trainableSteps(table),
    q: typeof q === 'number' ? table.alphas.map(() => q) : q,
  };
};

/** How many t lie outside what the U-Net was trained on; null where each t is given its own index. */
export const countClamped = (
  schedule: Schedule,
  { unet_timestep }: Method,
  backbone: BackboneSchedule,
): number | null =>
  unet_timestep === 'index' ? null : snrMatchedTimesteps(buildSchedule(schedule), trainingSchedule(backbone)).clamped;
