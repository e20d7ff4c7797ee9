import type { Experiment } from '../contracts/experiment.ts';
import type { Train } from '../contracts/method.ts';
import { type ErrorCode, PosetwinError } from '../errors.ts';
import { buildSchedule, resolveQ, type ScheduleTable, trainableSteps } from '../schedule/index.ts';

/** One thing wrong that the schemas cannot see, at the path of the experiment that it comes from. */
export interface PlanIssue {
  code: ErrorCode;
  message: string;
  path: string;
  hint?: string;
}

/** A bank is whole cycles, in each of which every t comes once: else some t would weigh more than others. */
const checkBank = (table: ScheduleTable, { bank_steps }: Train): PlanIssue[] => {
  const cycle = trainableSteps(table).filter(Boolean).length;
  if (bank_steps === 0 || bank_steps % cycle === 0) return [];
  const [below, above] = [Math.floor, Math.ceil].map(round => round(bank_steps / cycle) * cycle);
  return [
    {
      code: 'refused_combination',
      message: `${bank_steps} steps are no whole number of cycles: the schedule has ${cycle} trainable t`,
      path: 'train.bank_steps',
      hint: below === 0 ? `bank_steps: ${above}, or 0` : `bank_steps: ${below} or ${above}`,
    },
  ];
};

/**
 * What the resolved schedule refuses: `singular_schedule` names step, quantity and remedies, `refused_combination` a bank
 * that does not fit; empty when all is well.
 */
export const checkPlan = ({
  schedule,
  method,
  train,
}: Pick<Experiment, 'schedule' | 'method' | 'train'>): PlanIssue[] => {
  try {
    const table = buildSchedule(schedule);
    resolveQ(table, method.q);
    return checkBank(table, train);
  } catch (error) {
    if (!(error instanceof PosetwinError) || error.class !== 'config') throw error;
    const { code, message, hint, details } = error;
    return [{ code, message, path: details.path ?? 'schedule', ...(hint === undefined ? {} : { hint }) }];
  }
};
