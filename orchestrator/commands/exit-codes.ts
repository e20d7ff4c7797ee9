import type { PosetwinError } from '../errors.ts';
import { CUT } from '../executors/trials.ts';

export const exitCodes = { done: 0, config: 2, failed: 3, not_converged: 4, cut: CUT, interrupted: 130 } as const;

/** Stopped from outside, with everything saved: the same command goes on. */
export const isInterruption = (error: PosetwinError): boolean =>
  error.class === 'cancelled' || error.class === 'preempted';

/** 2 for what the user wrote, 5 for a trial that its sweep's rule has cut, 130 for Ctrl-C and SIGTERM, 3 for everything else. */
export const exitCodeOf = (error: PosetwinError): number => {
  if (error.class === 'config') return exitCodes.config;
  if (error.code === 'cut_short') return exitCodes.cut;
  return isInterruption(error) ? exitCodes.interrupted : exitCodes.failed;
};

/** The error as people read it: `code message`, then where, why and what to do. */
export const describeError = ({ code, message, details }: PosetwinError): string => {
  const { file, line, column, path, hint, log } = details;
  const traceback = details.traceback ?? stackOfBug(code, details.cause);
  const place = [file, line, column].filter(part => part !== undefined).join(':');
  const lines = [
    `${code} ${message}`,
    place === '' ? undefined : `  at ${place}`,
    path === undefined ? undefined : `  in ${path}`,
    traceback === undefined ? undefined : indented(lastLines(traceback, 12)),
    hint === undefined ? undefined : `  hint: ${hint}`,
    log === undefined ? undefined : `  log: ${log}`,
  ];
  return lines.filter(text => text !== undefined).join('\n');
};

const stackOfBug = (code: string, cause: unknown): string | undefined =>
  code === 'bug' && cause instanceof Error ? cause.stack : undefined;
const lastLines = (text: string, count: number): string => text.trimEnd().split('\n').slice(-count).join('\n');
const indented = (text: string): string => text.replace(/^/gm, '  | ');
