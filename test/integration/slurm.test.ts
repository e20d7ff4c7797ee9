/** Trials on a real Slurm cluster of two nodes, both on this machine. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Slurm } from '../../orchestrator/contracts/slurm.ts';
import { SlurmExecutor, type SlurmExecutorOptions } from '../../orchestrator/executors/slurm.ts';
import type { TrialCommand, TrialOutcome } from '../../orchestrator/executors/trials.ts';
import { type Cluster, startCluster, stopCluster, whyNoCluster } from '../../scripts/slurm/cluster.ts';

const run = promisify(execFile);
const slurm = Slurm.parse({ poll_seconds: 1, signal_seconds: 60 });
const reason = await whyNoCluster();

let cluster: Cluster;
let folder: string;

const until = async (happened: () => boolean | Promise<boolean>, what: string): Promise<void> => {
  for (const deadline = Date.now() + 30_000; !(await happened()); await delay(50))
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
};

const trial = (id: string, args: readonly string[]): TrialCommand => ({
  id,
  args,
  log: join(folder, `${id}.log`),
  nnodes: 1,
  nproc_per_node: 1,
});

const waiting = (id: string): TrialCommand => trial(id, ['waits', join(folder, `${id}.checkpoint`)]);
const isReady = (id: string): boolean => existsSync(join(folder, `${id}.checkpoint.ready`));
const startsOf = async (id: string): Promise<{ start: number; rest: string[] }[]> =>
  (await readFile(join(folder, `${id}.log`), 'utf8'))
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line));

interface Running {
  outcomes: Map<string, TrialOutcome>;
  said: string[];
  ended: Promise<void>;
  stop: () => void;
  kill: () => void;
}

const start = (trials: readonly TrialCommand[], options: Partial<SlurmExecutorOptions> = {}): Running => {
  const [stop, kill] = [new AbortController(), new AbortController()];
  const outcomes = new Map<string, TrialOutcome>();
  const said: string[] = [];
  const executor = new SlurmExecutor({
    ...{ name: 'trials', folder: join(folder, 'slurm'), slots: 2, slurm },
    program: [resolve('test/fixtures/trial.cjs')],
    say: line => said.push(line),
    ...options,
  });
  const interrupts = { stop: stop.signal, kill: kill.signal };
  const ended = executor.run(trials, (id, outcome) => void outcomes.set(id, outcome), interrupts);
  return { outcomes, said, ended, stop: () => stop.abort(), kill: () => kill.abort() };
};

const jobIdOf = (said: readonly string[]): string => /job (\d+)/.exec(said.join('\n'))?.[1] ?? '';

beforeAll(async () => {
  if (reason !== undefined) return;
  cluster = await startCluster(await mkdtemp(join(tmpdir(), 'posetwin-cluster-')), 2);
  process.env.SLURM_CONF = cluster.conf;
});
afterAll(async () => {
  if (reason !== undefined) return;
  await stopCluster(cluster.folder);
  await rm(cluster.folder, { recursive: true, force: true });
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'posetwin-slurm-'));
  return () => rm(folder, { recursive: true, force: true });
});

describe.skipIf(reason !== undefined)(`trials on Slurm${reason === undefined ? '' : ` (${reason})`}`, () => {
  it('run two at a time, each with its own arguments to the letter, and one fails alone', async () => {
    const hostile = ["it's", '$(touch /tmp/never)', 'two\nlines', '`"\\', '-n', ''];
    const trials = [0, 0, 7, 0].map((code, index) => trial(`t${index}`, ['exits', String(code), ...hostile]));
    const { outcomes, ended, said } = start(trials);
    let most = 0;
    await Promise.race([
      ended,
      until(async () => {
        const { stdout } = await run('squeue', ['--noheader', '--states=running', '--format=%K']);
        most = Math.max(most, stdout.split('\n').filter(Boolean).length);
        return outcomes.size === 4;
      }, 'four ends'),
    ]);
    await ended;
    expect(Object.fromEntries(outcomes)).toEqual({
      ...{ t0: { state: 'done' }, t1: { state: 'done' }, t3: { state: 'done' } },
      t2: { state: 'failed', exit_code: 7 },
    });
    expect(most).toBeLessThanOrEqual(2);
    expect((await startsOf('t2'))[0]?.rest).toEqual(hostile);
    expect(said[0]).toContain('4 trials, at most 2 at a time');
  });
});
