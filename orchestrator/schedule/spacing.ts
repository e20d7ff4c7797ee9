import { PosetwinError } from '../errors.ts';

export type Spacing = 'trailing' | 'leading' | 'linspace';

/** numpy's round: halves go to the even neighbour. */
const roundHalfEven = (value: number): number => {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
};

/** numpy's arange(N, 0, −N/T) in its own floating-point order, which decides how halves round. */
const trailing = (num_steps: number, num_train_timesteps: number): number[] => {
  const delta = num_train_timesteps - num_train_timesteps / num_steps - num_train_timesteps;
  const descending = Array.from({ length: num_steps }, (_, index) =>
    roundHalfEven(num_train_timesteps + index * delta),
  );
  return descending.reverse().map(timestep => timestep - 1);
};

/** steps_offset is 1 as in Stable Diffusion, 0 where T = N would run off the training schedule. */
const leading = (num_steps: number, num_train_timesteps: number): number[] => {
  const ratio = Math.floor(num_train_timesteps / num_steps);
  const offset = Math.min(1, num_train_timesteps - 1 - ratio * (num_steps - 1));
  return Array.from({ length: num_steps }, (_, index) => index * ratio + offset);
};

const linspaced = (num_steps: number, num_train_timesteps: number): number[] => {
  const last = num_train_timesteps - 1;
  const step = last / (num_steps - 1);
  return Array.from({ length: num_steps }, (_, index) =>
    index > 0 && index === num_steps - 1 ? last : roundHalfEven(index === 0 ? 0 : index * step),
  );
};

/**
 * The 0-based training timesteps that diffusers' DDIM visits, cleanest first (the reverse of its order).
 * Throws `out_of_range` unless 1 <= T <= N.
 */
export const spaceTimesteps = (spacing: Spacing, num_steps: number, num_train_timesteps: number): number[] => {
  if (!Number.isInteger(num_steps) || num_steps < 1 || num_steps > num_train_timesteps)
    throw new PosetwinError('out_of_range', `${num_steps} steps cannot be chosen from ${num_train_timesteps}`, {
      path: 'schedule.num_steps',
      hint: `set num_steps between 1 and ${num_train_timesteps}`,
    });
  return { trailing, leading, linspace: linspaced }[spacing](num_steps, num_train_timesteps);
};
