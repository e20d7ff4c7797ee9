import { appendFileSync } from 'node:fs';
import type { Emit, PipelineEvent } from '../stages/events.ts';
import { type Screen, standardError, Terminal, type TotalSteps } from './terminal.ts';

/** Where a run's events go. */
export interface Reporter {
  emit: Emit;
  /** a line for people; with `--json` they read it in log.txt */
  say(line: string): void;
}

const stamped = (event: PipelineEvent): object => ({ time: Date.now() / 1000, ...event });

const logFile = (file: string): Screen => ({
  write: text => appendFileSync(file, text),
  isTTY: false,
  columns: Number.POSITIVE_INFINITY,
  now: () => performance.now(),
});

/** Progress on standard error, or one JSON object a line on standard output; always into `log` too. */
export const makeReporter = ({
  json,
  log,
  totalSteps,
}: {
  json: boolean;
  log: string;
  totalSteps: TotalSteps;
}): Reporter => {
  const kept = new Terminal(logFile(log), totalSteps);
  const shown = json ? undefined : new Terminal(standardError(), totalSteps);
  return {
    emit: event => {
      kept.show(event);
      if (shown === undefined) console.log(JSON.stringify(stamped(event)));
      else shown.show(event);
    },
    say: line => {
      kept.line(line);
      shown?.line(line);
    },
  };
};
