import type { Experiment } from '../contracts/experiment.ts';
import { type ErrorCode, PosetwinError } from '../errors.ts';
import { buildSchedule, resolveQ } from '../schedule/index.ts';

/** One thing wrong that the schemas cannot see, at the path of the experiment that it comes from. */
export interface PlanIssue {
  code: ErrorCode;
  message: string;
  path: string;
  hint?: string;
}

/** Whether the schedule can be used: `singular_schedule` names step, quantity and remedies; empty when all is well. */
export const checkPlan = ({ schedule, method }: Pick<Experiment, 'schedule' | 'method'>): PlanIssue[] => {
  try {
    resolveQ(buildSchedule(schedule), method.q);
    return [];
  } catch (error) {
    if (!(error instanceof PosetwinError) || error.class !== 'config') throw error;
    const { code, message, hint, details } = error;
    return [{ code, message, path: details.path ?? 'schedule', ...(hint === undefined ? {} : { hint }) }];
  }
};
