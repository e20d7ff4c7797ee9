import type { Judgement } from '../executors/retries.ts';
import { describeProgress } from './status.ts';
import type { PreparedTrial } from './sweep-prepare.ts';
import { formatDuration } from './table.ts';
import { reportTrial } from './trial-state.ts';

const everyMs = 30_000;

/** How many trials are over, and how long the others will take if they are like those. */
export class Pace {
  readonly #total: number;
  readonly #slots: number;
  #began = 0;
  #ended = 0;

  constructor(total: number, slots: number) {
    this.#total = total;
    this.#slots = slots;
  }

  begin(): void {
    this.#began = performance.now();
  }

  /** `  (12 of 39, about 55 min left)`; counts one end, unless the trial is tried again. */
  describe(judgement: Judgement): string {
    if (judgement === 'retry' || judgement === 'stopped') return '';
    this.#ended += 1;
    const left = this.#total - this.#ended;
    const seconds = ((performance.now() - this.#began) / 1000 / this.#ended) * left;
    const time = left < this.#slots ? '' : `, about ${formatDuration(seconds)} left`;
    return `  (${this.#ended} of ${this.#total}${time})`;
  }
}

/** `1a2b3c4d train 120/300 40 %, 5e6f7a8b cache`; empty when nothing is at work. */
const describeRunning = async (trials: readonly PreparedTrial[]): Promise<string> => {
  const reports = await Promise.all(trials.map(({ trial }) => reportTrial(trial)));
  return reports
    .filter(({ state }) => state === 'running')
    .map(report => `${report.trial.id} ${describeProgress(report)}`)
    .join(', ');
};

/** Tells twice a minute how far the trials at work are, where that has changed. The returned function ends it. */
export const watchTrials = (trials: readonly PreparedTrial[], say: (line: string) => void): (() => void) => {
  let last = '';
  const look = async (): Promise<void> => {
    const text = await describeRunning(trials);
    if (text !== '' && text !== last) say(`  ${text}`);
    last = text;
  };
  // A file that is being written is read the next time.
  const timer = setInterval(() => void look().catch(() => undefined), everyMs);
  timer.unref();
  return () => clearInterval(timer);
};
