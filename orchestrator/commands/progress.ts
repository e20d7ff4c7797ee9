import { basename } from 'node:path';
import type { Visit, WorkerEvent } from '../contracts/events.ts';
import { formatDuration } from './table.ts';

const barWidth = 24;

/** `[########----------------]` */
export const bar = (share: number): string => {
  const full = Math.round(Math.min(Math.max(share, 0), 1) * barWidth);
  return `[${'#'.repeat(full)}${'-'.repeat(barWidth - full)}]`;
};

const short = (value: number | null): string => (value === null ? 'not finite' : value.toPrecision(3));

const describeVisit = ({ t, loss, terms }: Visit): string =>
  `t ${t}  L_t ${short(loss)}  target_pose ${short(terms.target_pose)}  pose_residual ${short(terms.pose_residual)}`;

/** What a training tells between its steps, in one line; undefined for every other event. */
export const describeLookout = (event: WorkerEvent): string | undefined => {
  switch (event.type) {
    case 'smoke': {
      const memory =
        event.peak_memory_bytes === null ? '' : `, at most ${(event.peak_memory_bytes / 1e9).toFixed(1)} GB`;
      return `two passes of ${event.num_samples.join(' and ')} samples fit: ${(event.duration_ms / 1000).toPrecision(3)} s a step${memory}`;
    }
    case 'validation':
      return `step ${event.step}: held-out objective ${short(event.objective)}${event.best ? ', the best so far' : ''}`;
    case 'samples':
      return `step ${event.step}: pictures in samples/${basename(event.path)}`;
    case 'loss_scale':
      return event.skipped
        ? `step ${event.step} overflows in fp16: the loss scale is ${event.loss_scale} now`
        : undefined;
    default:
      return undefined;
  }
};

/** How far one stage is: counts what its worker tells and guesses the time that is left from its own pace. */
export class StageMeter {
  private readonly total: number | undefined;
  private first: { done: number; time: number } | undefined;
  private last: { done: number; total: number; time: number; unit: string } | undefined;
  private visit: Visit | undefined;

  /** `total`: the number of steps, where the worker's own events do not tell it. */
  constructor(total?: number) {
    this.total = total;
  }

  /** True when the event changed what `describe` says. */
  add(event: WorkerEvent): boolean {
    if (event.type === 'step') this.visit = event.visits.at(-1);
    const mark =
      event.type === 'progress'
        ? { done: event.done, total: event.total, unit: event.unit, time: event.time }
        : event.type === 'step' || event.type === 'primary_step'
          ? { done: event.step, total: this.total ?? event.step, unit: 'steps', time: event.time }
          : undefined;
    if (mark === undefined) return false;
    this.first ??= mark;
    this.last = mark;
    return true;
  }

  /** `[####----] 120/1000 steps  t 12  L_t 0.031 …  3 min 20 s left` */
  describe(): string {
    if (this.last === undefined) return '';
    const { done, total, unit } = this.last;
    const left = this.secondsLeft();
    return [
      `${bar(done / Math.max(total, 1))} ${done}/${total} ${unit}`,
      ...(this.visit === undefined ? [] : [describeVisit(this.visit)]),
      ...(left === undefined ? [] : [`${formatDuration(left)} left`]),
    ].join('  ');
  }

  private secondsLeft(): number | undefined {
    if (this.first === undefined || this.last === undefined || this.last.done <= this.first.done) return undefined;
    const pace = (this.last.time - this.first.time) / (this.last.done - this.first.done);
    return Math.max(pace * (this.last.total - this.last.done), 0);
  }
}
