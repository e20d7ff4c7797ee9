import type { Schedule } from '../contracts/schedule.ts';
import { buildSchedule } from './build.ts';
import type { PretrainedSchedule } from './pretrained.ts';
import type { ScheduleTable } from './table.ts';

/** The schedule that a U-Net was trained on, as its diffusers scheduler_config.json spells it. */
export interface BackboneSchedule {
  beta_schedule: PretrainedSchedule['kind'];
  num_train_timesteps: number;
  beta_start: number;
  beta_end: number;
}

/** A U-Net's own training schedule, all its timesteps: index n is timestep n. */
export const trainingSchedule = ({ beta_schedule, num_train_timesteps, ...betas }: BackboneSchedule): ScheduleTable => {
  const config: Schedule = {
    kind: beta_schedule,
    num_steps: num_train_timesteps,
    spacing: 'linspace',
    num_train_timesteps,
    ...betas,
    singular: 'error',
    eps: 1e-6,
  };
  return buildSchedule(config);
};
