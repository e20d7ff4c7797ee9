import { readdirSync } from 'node:fs';

const gpusOfDriver = '/proc/driver/nvidia/gpus';

/** The CUDA devices that this process may use, as CUDA_VISIBLE_DEVICES spells them; none where there is no NVIDIA driver. */
export const visibleDevices = (): string[] => {
  const given = process.env.CUDA_VISIBLE_DEVICES;
  if (given !== undefined) return given.split(',').filter(name => name !== '');
  try {
    return readdirSync(gpusOfDriver).map((_, index) => String(index));
  } catch {
    return [];
  }
};
