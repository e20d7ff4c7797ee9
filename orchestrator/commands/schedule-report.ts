import type { Experiment } from '../contracts/experiment.ts';
import type { Method } from '../contracts/method.ts';
import type { Schedule } from '../contracts/schedule.ts';
import { countClamped, resolveSchedule } from '../plan/resolve-schedule.ts';
import { buildSchedule, everyQ, resolveQ, type ScheduleTable } from '../schedule/index.ts';
import { backboneSchedule } from '../stages/backbone-schedule.ts';

type Numbers = (number | null)[];

/** All that follows from a schedule; arrays have length T, with null where a quantity is infinite or undefined. */
export interface ScheduleReport extends ScheduleTable {
  config: Schedule;
  /** Q of Eq. 37 under every reading; null where it is not positive and finite */
  q: { expectation: number | null; 'printed-sum': number | null; 'per-step': Numbers };
  /** the experiment's own reading, `method.q`, and what it gives */
  method_q: { reading: Method['q']; value: number | Numbers };
  unet_timestep: Method['unet_timestep'];
  /** what the U-Net is given at each t */
  timesteps: number[];
  /** how many of them are held at an end of what it was trained on; null where t's own index is given */
  num_timesteps_clamped: number | null;
}

const single = (q: number | Numbers | null): number | null => (typeof q === 'number' ? q : null);
const perStep = (q: number | Numbers | null, { num_steps }: ScheduleTable): Numbers =>
  Array.isArray(q) ? q : Array.from({ length: num_steps }, () => null);

/**
 * Raises `corrupt_file` when the backbone does not tell what it was trained on, and `refused_combination` where that
 * does not suit; `singular_schedule` and the like are found by `checkLoaded` before.
 */
export const reportSchedule = async ({ schedule, method, backbone }: Experiment): Promise<ScheduleReport> => {
  const table = buildSchedule(schedule);
  const q = everyQ(table);
  const trained = await backboneSchedule(backbone);
  return {
    config: schedule,
    ...table,
    q: {
      expectation: single(q.expectation),
      'printed-sum': single(q['printed-sum']),
      'per-step': perStep(q['per-step'], table),
    },
    method_q: { reading: method.q, value: resolveQ(table, method.q) },
    unet_timestep: method.unet_timestep,
    timesteps: resolveSchedule(schedule, method, trained).timesteps,
    num_timesteps_clamped: countClamped(schedule, method, trained),
  };
};
