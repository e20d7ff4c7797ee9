import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { PreparedTrial } from '../../../orchestrator/commands/sweep-prepare.ts';
import { SweepRun } from '../../../orchestrator/commands/sweep-run.ts';
import type { TrialExecutor, TrialOutcome } from '../../../orchestrator/executors/trials.ts';
import { runId } from '../../../orchestrator/plan/run-id.ts';
import { RunFolder, SweepFolder } from '../../../orchestrator/runs/index.ts';
import { experiment, plan } from '../plan/experiment.ts';

let root: string;
let folder: SweepFolder;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'posetwin-sweep-'));
  folder = new SweepFolder('test', root);
  await folder.begin();
});

const trialOf = (seed: number): PreparedTrial => {
  const resolved = experiment({ seed });
  const id = runId(resolved);
  const trial = { id, assignment: { seed }, experiment: resolved, origins: {}, singular: [], orphaned: false };
  return { trial, run: new RunFolder(root, 'test', id), plan: plan({ seed }) };
};

/** Counts starts: all that matters is that each attempt has its own. */
let clock = 0;

/** How a trial ends, attempt by attempt: an outcome, or a code that its run's status tells. */
type Script = Record<number, readonly (TrialOutcome['state'] | `code ${string}`)[]>;

const tell = async ({ run }: PreparedTrial, code: string): Promise<TrialOutcome> => {
  const time = `${clock++}`;
  const ended = { started: time, finished: time, report: null, code, message: 'why', process: null };
  await run.writeStatus({ status: 'failed', ...ended });
  return { state: 'failed', exit_code: 3 };
};

/** Plays a script, one trial after the other; what comes after an interrupt is cancelled, as by the real executors. */
const executorOf = (
  trials: readonly PreparedTrial[],
  script: Script,
  { started, outlivesCommand }: { started: number[]; outlivesCommand: boolean },
): TrialExecutor => ({
  outlivesCommand,
  run: async (commands, onEnd, { stop }) => {
    for (const { id } of commands) {
      const trial = trials.find(known => known.trial.id === id);
      if (trial === undefined) throw new Error(id);
      if (stop.aborted) {
        await onEnd(id, { state: 'cancelled' });
        continue;
      }
      const { seed } = trial.trial.experiment;
      const how = script[seed]?.[started.filter(known => known === seed).length] ?? 'done';
      started.push(seed);
      if (how.startsWith('code ')) await onEnd(id, await tell(trial, how.slice('code '.length)));
      else await onEnd(id, how === 'failed' ? { state: 'failed', exit_code: 137 } : { state: how as 'done' });
    }
  },
});

const play = async (
  script: Script,
  max_failures: number | null = null,
  stop = new AbortController(),
  outlivesCommand = false,
) => {
  const trials = Object.keys(script).map(seed => trialOf(Number(seed)));
  const started: number[] = [];
  const judged: string[] = [];
  const run = new SweepRun({
    folder,
    executor: executorOf(trials, script, { started, outlivesCommand }),
    commandOf: ({ trial }) => ({ id: trial.id, args: [], log: '', nnodes: 1, nproc_per_node: 1 }),
    max_failures,
    backoff_ms: 1,
    onEnd: ({ trial, judgement }) => void judged.push(`${trial.trial.experiment.seed} ${judgement}`),
  });
  await run.run(trials, { stop: stop.signal, kill: new AbortController().signal });
  return { run, started, judged };
};

describe('a sweep', () => {
  it('runs every trial once, and another one when one fails', async () => {
    const { run, started, judged } = await play({ 1: ['code out_of_memory'], 2: ['done'], 3: ['code missing_file'] });
    expect(started).toEqual([1, 2, 3]);
    expect(judged).toEqual(['1 failed', '2 done', '3 failed']);
    expect(run.failed.size).toBe(2);
    expect(run.stopped).toBeUndefined();
  });

  it('tries again what may pass: twice where a worker died, without end where a scheduler wanted the machine', async () => {
    const { run, judged } = await play({
      1: ['code worker_died', 'done'],
      2: ['failed', 'failed', 'failed', 'done'],
      3: ['preempted', 'preempted', 'preempted', 'preempted', 'done'],
    });
    const of = (seed: number) => judged.filter(text => text.startsWith(`${seed}`));
    expect(of(1)).toEqual(['1 retry', '1 done']);
    expect(of(2)).toEqual(['2 retry', '2 retry', '2 failed']);
    expect(of(3)).toEqual(['3 retry', '3 retry', '3 retry', '3 retry', '3 done']);
    expect([...run.failed]).toEqual([trialOf(2).trial.id]);
  });

  it('takes a divergence for a result', async () => {
    const { run, judged } = await play({ 1: ['code diverged'], 2: ['done'] }, 1);
    expect(judged).toEqual(['1 diverged', '2 done']);
    expect(run.failed.size).toBe(0);
  });

  it('takes a trial that was cut for a result, which is neither tried again nor a failure', async () => {
    const { run, started, judged } = await play({ 1: ['done'], 2: ['cut', 'done'], 3: ['done'] }, 1);
    expect(started).toEqual([1, 2, 3]);
    expect(judged).toEqual(['1 done', '2 cut', '3 done']);
    expect([run.failed.size, run.stopped]).toEqual([0, undefined]);
    expect((await folder.attempts())[1]).toMatchObject({ outcome: 'cut', exit_code: null, next: 'none' });
  });

  it('stops at --max-failures, and starts nothing more', async () => {
    const { run, started } = await play({ 1: ['code bad_image'], 2: ['code bad_image'], 3: ['done'] }, 2);
    expect(started).toEqual([1, 2]);
    expect(run.stopped).toBe('failures');
  });

  it('stops when it is interrupted, and when somebody cancels a trial', async () => {
    const stop = new AbortController();
    stop.abort();
    const interrupted = await play({ 1: ['done'] }, null, stop);
    expect(interrupted).toMatchObject({ started: [], run: { stopped: 'cancelled' } });
    const waited = play({ 4: ['preempted', 'done'], 5: ['code worker_died', 'done'] }, null, new AbortController());
    expect((await waited).run.stopped).toBeUndefined();
    expect((await play({ 6: ['done'] })).run.stopped).toBeUndefined();
  });

  it('keeps a journal of every attempt, and none of what an earlier attempt has left', async () => {
    const [first] = [trialOf(1)];
    const old = { started: '2020-01-01', finished: '2020-01-02', report: null, message: null, process: null };
    await first?.run.writeStatus({ status: 'failed', code: 'out_of_memory', ...old });
    await play({ 1: ['failed', 'code timeout', 'done'] });
    expect(await folder.attempts()).toMatchObject([
      { attempt: 1, outcome: 'failed', exit_code: 137, code: null, started: null, next: 'retry' },
      { attempt: 2, outcome: 'failed', exit_code: 3, code: 'timeout', message: 'why', next: 'retry' },
      { attempt: 3, outcome: 'done', exit_code: null, next: 'none' },
    ]);
  });

  it('knows the error of a job that ended while no command was there, once', async () => {
    const old = { started: '2020-01-01', finished: '2020-01-02', report: null, message: null, process: null };
    await trialOf(1).run.writeStatus({ status: 'failed', code: 'out_of_memory', ...old });
    expect((await play({ 1: ['failed'] }, null, new AbortController(), true)).judged).toEqual(['1 failed']);
    expect((await play({ 1: ['failed', 'done'] }, null, new AbortController(), true)).judged).toEqual([
      '1 retry',
      '1 done',
    ]);
  });
});
