import { describe, expect, it } from 'vitest';
import { compareSteps } from '../../../orchestrator/commands/run-equality.ts';
import { workingSeconds } from '../../../orchestrator/commands/trial-record.ts';
import type { StepEvent, WorkerEvent } from '../../../orchestrator/contracts/events.ts';
import { stepEvent } from './step-event.ts';

const steps = (...objectives: number[]): StepEvent[] =>
  objectives.map((objective, index) => ({ ...stepEvent(index + 1, 1), objective }));

describe('two trainings', () => {
  it('are equal where every logged number is, whatever the clock says', () => {
    const later = steps(1, 2).map(step => ({ ...step, time: step.time + 99, duration_ms: 1 }));
    expect(compareSteps(steps(1, 2), later)).toMatchObject({ equal: true, detail: 'every number of 2 steps' });
  });

  it('differ from a step on, and by so much of themselves', () => {
    // 2.5 is 25 % above 2, 4.4 is 10 % above 4.
    expect(compareSteps(steps(1, 2, 4), steps(1, 2.5, 4.4))).toMatchObject({
      equal: false,
      detail: 'from step 2 on; the objective by at most 0.25 of itself',
    });
    expect(compareSteps(steps(1, 2), steps(1))).toMatchObject({ equal: false, detail: '2 steps, and 1' });
  });
});

describe('seconds of a worker', () => {
  it('are those of all its starts, up to the last sign of life of each', () => {
    const at = (time: number, type: 'started' | 'step'): WorkerEvent =>
      type === 'step'
        ? { ...stepEvent(1, 1), time }
        : { type, time, stage: 'train', world_size: 1, pid: 1, device: 'cpu', resumed_from: 0 };
    // 100 to 130, killed; 1000 to 1007 after an hour of nothing.
    const events = [at(100, 'started'), at(110, 'step'), at(130, 'step'), at(1000, 'started'), at(1007, 'step')];
    expect(workingSeconds(events)).toBe(37);
    expect(workingSeconds([])).toBe(0);
  });
});
