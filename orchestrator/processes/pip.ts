import { appendFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { type ErrorCode, PosetwinError } from '../errors.ts';

export interface SetupStep {
  /** the interpreter that runs the step, and pip's or venv's arguments after `-m` */
  python: string;
  args: readonly string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  log: string;
  onProgress: (line: string) => void;
  signal?: AbortSignal;
}

// By its path: it must run before anything is installed. It ends pip when this process is killed.
const supervise = fileURLToPath(new URL('../../python/posetwin/supervise.py', import.meta.url));

/** One readable line of pip's many; null for the rest. */
const condense = (line: string): string | null => {
  const [verb = '', rest = ''] = line.trim().split(/ (.*)/s);
  if (verb === 'Downloading' && !/\.metadata|\d kB\)/.test(rest)) return `downloading ${rest}`;
  if (verb === 'Installing' && rest.startsWith('collected')) return `installing ${rest.split(',').length} packages`;
  return null;
};

const causes: readonly (readonly [ErrorCode, RegExp, string])[] = [
  ['disk_full', /No space left on device|ENOSPC|Errno 28\b/, 'free some space (about 3 GB) and run the command again'],
  [
    'no_network',
    /NewConnectionError|ConnectTimeout|ReadTimeout|ProxyError|name resolution|Network is unreachable/,
    'check the connection, or the index and proxy that pip is set to, and run the command again',
  ],
];

const failureOf = async ({ args, log }: SetupStep): Promise<PosetwinError> => {
  const text = await readFile(log, 'utf8').catch(() => '');
  const tail = text.trimEnd().split('\n').slice(-12).join('\n');
  const [code, , hint] = causes.find(([, pattern]) => pattern.test(text)) ?? ['install_failed', null, `see ${log}`];
  return new PosetwinError(code, `python -m ${args.slice(0, 2).join(' ')} failed:\n${tail}`, { hint, log });
};

/** Runs one step of the set-up with its output in the log. Throws `disk_full`, `no_network`, `install_failed`, `cancelled`. */
export const runSetupStep = async (step: SetupStep): Promise<void> => {
  await writeFile(step.log, ''); // what failed last time says nothing about this time
  const running = execa(step.python, [supervise, '-m', ...step.args], {
    cwd: step.cwd,
    env: { ...step.env, POSETWIN_PARENT_PID: String(process.pid), PYTHONUNBUFFERED: '1' },
    extendEnv: false,
    all: true,
    buffer: false,
    reject: false,
    stdin: 'ignore',
    ...(step.signal === undefined ? {} : { cancelSignal: step.signal }),
  });
  for await (const line of running.iterable({ from: 'all' })) {
    appendFileSync(step.log, `${line}\n`);
    const short = condense(line);
    if (short !== null) step.onProgress(short);
  }
  const result = await running;
  if (result.isCanceled) throw new PosetwinError('cancelled', 'the Python set-up was cancelled');
  if (result.failed) throw await failureOf(step);
};
