import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { LocalTrials } from '../../orchestrator/executors/local-trials.ts';
import type { TrialCommand, TrialOutcome } from '../../orchestrator/executors/trials.ts';
import { isAlive } from '../../orchestrator/processes/process-table.ts';

const entry = resolve('test/fixtures/trial.ts');
const patience = { timeout: 30_000, interval: 20 };
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'posetwin-trials-'));
});
afterAll(() => rm(folder, { recursive: true }));

const commandOf = (id: string, ...args: string[]): TrialCommand => ({
  id,
  args,
  log: join(folder, 'logs', `${id}.log`),
  nnodes: 1,
  nproc_per_node: 1,
});
const waiting = (id: string) => commandOf(id, 'wait', id, folder);
/** The trial at work and its worker. */
const pidsOf = async (id: string): Promise<number[]> => {
  await vi.waitUntil(() => existsSync(join(folder, id)), patience);
  return JSON.parse(readFileSync(join(folder, id), 'utf8'));
};

const start = (trials: TrialCommand[], slots: number) => {
  const [stop, kill] = [new AbortController(), new AbortController()];
  const ends: [string, TrialOutcome][] = [];
  const done = new LocalTrials({ slots, entry }).run(trials, (id, outcome) => void ends.push([id, outcome]), {
    stop: stop.signal,
    kill: kill.signal,
  });
  return { stop, kill, ends, done };
};

describe('trials on this machine', () => {
  it('each end once, and say how; what they print is in their logs', async () => {
    const { ends, done } = start([commandOf('a', 'exit', '0'), commandOf('b', 'exit', '3')], 1);
    await done;
    expect(ends).toEqual([
      ['a', { state: 'done' }],
      ['b', { state: 'failed', exit_code: 3 }],
    ]);
    expect(await readFile(join(folder, 'logs', 'b.log'), 'utf8')).toBe('trial 3\n');
  });

  it('stop when they are asked to, with all they have started; those that wait for a slot never start', async () => {
    const { stop, ends, done } = start([waiting('c'), waiting('d'), waiting('e')], 2);
    const pids = [...(await pidsOf('c')), ...(await pidsOf('d'))];
    expect(pids.every(isAlive)).toBe(true);
    stop.abort();
    await done;
    expect(Object.fromEntries(ends)).toEqual({
      c: { state: 'cancelled' },
      d: { state: 'cancelled' },
      e: { state: 'cancelled' },
    });
    expect(pids.filter(isAlive)).toEqual([]);
    expect(existsSync(join(folder, 'e'))).toBe(false);
  });

  it('are ended at once, with all they have started, when stopping takes too long', async () => {
    const { stop, kill, ends, done } = start([commandOf('deaf', 'deaf', 'deaf', folder)], 1);
    const pids = await pidsOf('deaf');
    stop.abort();
    kill.abort();
    await done;
    expect(ends).toEqual([['deaf', { state: 'cancelled' }]]);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it('are told as preempted when somebody else ends them', async () => {
    const { ends, done } = start([waiting('f')], 1);
    const [pid = 0] = await pidsOf('f');
    process.kill(pid, 'SIGTERM');
    await done;
    expect(ends).toEqual([['f', { state: 'preempted' }]]);
  });

  it('are told as failed when they are killed', async () => {
    const { ends, done } = start([waiting('g')], 1);
    const [pid = 0] = await pidsOf('g');
    process.kill(pid, 'SIGKILL');
    await done;
    expect(ends).toEqual([['g', { state: 'failed', exit_code: 137 }]]);
  });

  it('end when their orchestrator is killed', async () => {
    const orchestrator = spawn(
      process.execPath,
      ['--import', import.meta.resolve('tsx'), resolve('test/fixtures/trials.ts'), folder],
      { stdio: 'ignore' },
    );
    const [trial = 0, worker = 0] = await pidsOf('a');
    orchestrator.kill('SIGKILL');
    await vi.waitUntil(() => !isAlive(trial), patience);
    // The fixture's worker has no supervisor, as a real one has.
    process.kill(worker, 'SIGKILL');
  });

  it('are ended when what listens to them fails', async () => {
    const { signal } = new AbortController();
    const failing = new LocalTrials({ slots: 2, entry }).run(
      [commandOf('h', 'exit', '0'), waiting('i')],
      () => Promise.reject(new Error('on purpose')),
      { stop: signal, kill: signal },
    );
    await expect(failing).rejects.toThrow('on purpose');
  });
});
