/** Trials with made-up results. */
import { Schedule } from '../../../../orchestrator/contracts/schedule.ts';
import { measuredOf, type TrialRecord } from '../../../../orchestrator/report/sweep/record.ts';
import { evaluation } from '../fixture.ts';

/** A trial that is done, its secondary adapter half as far from every pose as its primary. */
export const record = (changes: Partial<TrialRecord> = {}): TrialRecord => ({
  id: '1a2b3c4d',
  assignment: { schedule: 'linear', seed: 0 },
  seed: 0,
  schedule: Schedule.parse({ kind: 'linear' }),
  singular: [],
  orphaned: false,
  state: 'done',
  code: null,
  run: 'runs/x/1a2b3c4d',
  report: '../1a2b3c4d/report.html',
  measured: measuredOf(evaluation([2, 4, 6], [1, 2, 3])),
  loss: {
    ...{ refused: false, plateau: 'yes', converged: true, steps: 300 },
    ...{ q: 30, delta_l: 0.02, lower_bound: 0.01, achieved: 0.03 },
  },
  train_seconds: 61,
  evaluate_seconds: 9,
  peak_memory_mb: null,
  ...changes,
});

/** One that ended before it had a result. */
export const failed = (code: string, changes: Partial<TrialRecord> = {}): TrialRecord =>
  record({
    state: code === 'dead_gradient' || code === 'diverged' ? 'diverged' : 'failed',
    code,
    ...{ measured: null, loss: null, report: null, train_seconds: null, evaluate_seconds: null },
    ...changes,
  });
