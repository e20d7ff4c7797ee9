import { join } from 'node:path';
import { z } from 'zod';
import type { Backbone } from '../contracts/models.ts';
import { readJson } from '../runs/index.ts';
import type { BackboneSchedule } from '../schedule/index.ts';
import { modelFolder } from './fingerprints.ts';

/** The part of a diffusers scheduler_config.json that says what noise the U-Net was trained on. */
const SchedulerConfig = z.object({
  beta_schedule: z.enum(['scaled_linear', 'linear', 'squaredcos_cap_v2']),
  num_train_timesteps: z.int(),
  beta_start: z.number(),
  beta_end: z.number(),
});

/** The schedule that the backbone was trained on. Raises `corrupt_file` when its folder does not tell. */
export const backboneSchedule = async ({ path }: Backbone): Promise<BackboneSchedule> => {
  const file = join(modelFolder(path, 'backbone'), 'scheduler', 'scheduler_config.json');
  const { beta_schedule, num_train_timesteps, beta_start, beta_end } = await readJson(file, SchedulerConfig);
  return { beta_schedule, num_train_timesteps, beta_start, beta_end };
};
