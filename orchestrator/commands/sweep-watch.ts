import { describeProgress } from './status.ts';
import type { PreparedTrial } from './sweep-prepare.ts';
import { reportTrial } from './trial-state.ts';

const everyMs = 30_000;

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
