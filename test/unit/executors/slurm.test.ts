import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Slurm } from '../../../orchestrator/contracts/slurm.ts';
import { SlurmJournal } from '../../../orchestrator/executors/slurm-journal.ts';
import { outcomeOf } from '../../../orchestrator/executors/slurm-outcome.ts';
import { jobScript, quote, sbatchOptions } from '../../../orchestrator/executors/slurm-script.ts';
import { outcomeOfExit } from '../../../orchestrator/executors/trials.ts';
import type { JobRecord } from '../../../orchestrator/processes/slurm-records.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'posetwin-slurm-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const shape = { nnodes: 1, nproc_per_node: 1 };
const array = (slurm: object, more: object = {}) => ({
  ...{ name: 'poses', comment: 'posetwin:1', folder: '/shared/run', num_trials: 4, slots: 2, ...shape },
  slurm: Slurm.parse(slurm),
  ...more,
});

describe('the options of sbatch', () => {
  it('are one throttled array that is requeued, and nothing that was not asked for', () => {
    expect(sbatchOptions(array({}))).toEqual([
      '--job-name=poses',
      '--comment=posetwin:1',
      '--array=0-3%2',
      '--nodes=1',
      '--ntasks-per-node=1',
      '--output=/shared/run/slurm-%a.out',
      '--open-mode=append',
      '--requeue',
      '--signal=B:USR1@120',
    ]);
  });

  it('carry every key of the section, hostile values as single words', () => {
    const hostile = 'a100; rm -rf / $(id) `id` "\'';
    const options = sbatchOptions(
      array({
        ...{ partition: 'gpu', account: 'poses', qos: 'normal', constraint: hostile, time: '1-12:00:00' },
        ...{ gpus_per_node: 'a100:4', cpus_per_task: 16, mem: '64G', options: { reservation: 'x y', exclusive: true } },
      }),
    );
    expect(options).toEqual(
      expect.arrayContaining([
        ...['--partition=gpu', '--account=poses', '--qos=normal', `--constraint=${hostile}`, '--time=1-12:00:00'],
        ...['--gpus-per-node=a100:4', '--cpus-per-task=16', '--mem=64G', '--reservation=x y', '--exclusive'],
      ]),
    );
  });

  it('keep a percent sign of a folder from being a pattern', () => {
    expect(sbatchOptions(array({}, { folder: '/shared/100%a' }))).toContain('--output=/shared/100%%a/slurm-%a.out');
  });

  it('are refused with refused_combination where ranks would share GPUs', () => {
    const ranks = { nproc_per_node: 4 };
    const details = expect.objectContaining({ path: 'slurm.gpus_per_node' });
    const code = { code: 'refused_combination', details };
    expect(() => sbatchOptions(array({ gpus_per_node: 'a100:2' }, ranks))).toThrow(expect.objectContaining(code));
    expect(() => sbatchOptions(array({ gpus_per_node: 4 }, ranks))).not.toThrow();
    expect(sbatchOptions(array({}, ranks))).toContain('--cpus-per-task=4');
  });
});

describe('the section slurm', () => {
  it.each([
    { time: 'tomorrow' },
    { mem: '64 GB' },
    { time: 0 },
    { gpus_per_node: '0' },
    { options: { array: '0-9' } },
    { options: { '-x; id': 'y' } },
    { unheard_of: 1 },
  ])('refuses %j', section => {
    expect(Slurm.safeParse(section).success).toBe(false);
  });

  it.each(['90', '12:00:00', '2-00', '2-12:30:00'])('takes the time %s', time => {
    expect(Slurm.parse({ time }).time).toBe(time);
  });
});

describe('a word of bash', () => {
  it('is any text to the letter', () => {
    const words = fc.array(
      fc.string().map(text => text.replaceAll('\0', '')),
      { minLength: 1, maxLength: 5 },
    );
    fc.assert(
      fc.property(words, texts => {
        const command = `printf '%s\\0' ${texts.map(quote).join(' ')}`;
        const told = execFileSync('bash', ['-c', command], { encoding: 'utf8' });
        expect(told).toBe(texts.map(text => `${text}\0`).join(''));
      }),
      { numRuns: 30 },
    );
  });
});

/** Runs the script as Slurm would, for one task, in a folder with a hostile name. */
const runScript = (trial: { args: string[] }, setup = ''): { code: number; exit: string; log: string } => {
  const home = join(folder, `it's $(id) "a"`);
  mkdirSync(join(home, 'exits'), { recursive: true });
  const log = join(home, 'log of a trial');
  writeFileSync(join(home, 'trials.json'), JSON.stringify([{ log, args: trial.args }]));
  writeFileSync(join(home, 'job.sh'), jobScript({ folder: home, node: process.execPath }));
  writeFileSync(join(home, 'setup.sh'), setup);
  const env = { ...process.env, SLURM_ARRAY_TASK_ID: '0', SLURM_ARRAY_JOB_ID: '1' };
  let code = 0;
  try {
    execFileSync('bash', [join(home, 'job.sh')], { env, stdio: 'ignore' });
  } catch (error) {
    code = (error as { status: number }).status;
  }
  return { code, exit: readFileSync(join(home, 'exits', '0'), 'utf8'), log: readFileSync(log, 'utf8') };
};

describe('the job script', () => {
  it('hands the arguments of its trial over to the letter, and leaves the exit code', () => {
    const hostile = ['$(touch /never)', "'", '"; exit 1', 'a\nb', '', '*', '-e'];
    const program = 'console.log(JSON.stringify(process.argv.slice(1))); process.exitCode = 3';
    const { code, exit, log } = runScript({ args: ['-e', program, '--', ...hostile] });
    expect(JSON.parse(log)).toEqual(hostile);
    expect([code, exit]).toEqual([3, '3\n']);
  });

  it('begins with the lines of the setup file, whose variables the trial sees', () => {
    const { log } = runScript({ args: ['-p', 'process.env.NCCL_DEBUG'] }, 'export NCCL_DEBUG=INFO$UNSET\n');
    expect(log).toBe('INFO\n');
  });
});

describe('the outcome of a task', () => {
  const record = (state: string, more: Partial<JobRecord> = {}): JobRecord => ({
    ...{ tasks: [0], state, exit_code: 0, signal: 0, reason: 'None' },
    ...more,
  });

  it.each([
    [0, { state: 'done' }],
    [4, { state: 'done' }],
    [143, { state: 'preempted' }],
    [130, { state: 'preempted' }],
    [5, { state: 'cut' }],
    [2, { state: 'failed', exit_code: 2 }],
    [137, { state: 'failed', exit_code: 137 }],
  ])('of exit code %d is %j', (code, outcome) => {
    expect(outcomeOfExit(code)).toEqual(outcome);
  });

  it.each(['PENDING', 'CONFIGURING', 'RUNNING', 'COMPLETING', 'SUSPENDED', 'REQUEUED', 'REQUEUE_HOLD', 'NEW_IN_2030'])(
    'is open while it is %s, whatever an earlier start wrote',
    state => {
      expect(outcomeOf(record(state), undefined)).toBeUndefined();
      expect(outcomeOf(record(state), 130)).toBeUndefined();
    },
  );

  it.each([
    [record('COMPLETED'), { state: 'done' }],
    [record('FAILED', { exit_code: 3 }), { state: 'failed', exit_code: 3 }],
    [record('FAILED', { exit_code: 130 }), { state: 'preempted' }],
    [record('FAILED', { exit_code: 5 }), { state: 'cut' }],
    [record('FAILED', { signal: 9 }), { state: 'failed', exit_code: 137 }],
    [record('CANCELLED', { signal: 15 }), { state: 'cancelled' }],
    [record('NODE_FAIL'), { state: 'preempted' }],
    [record('PREEMPTED'), { state: 'preempted' }],
    [record('TIMEOUT', { signal: 15 }), { state: 'failed', exit_code: 124 }],
    [record('OUT_OF_MEMORY'), { state: 'failed', exit_code: 137 }],
  ])('of %j is %j', (given, outcome) => {
    expect(outcomeOf(given, undefined)).toEqual(outcome);
  });

  it('is what Slurm did to it from outside, unless it was done by then', () => {
    expect(outcomeOf(record('CANCELLED'), 130)).toEqual({ state: 'cancelled' });
    expect(outcomeOf(record('PREEMPTED'), 1)).toEqual({ state: 'preempted' });
    expect(outcomeOf(record('CANCELLED'), 0)).toEqual({ state: 'done' });
    expect(outcomeOf(record('PREEMPTED'), 5)).toEqual({ state: 'cut' });
  });

  it('is what the job script wrote once the job has ended, or is forgotten', () => {
    expect(outcomeOf(record('FAILED', { exit_code: 1 }), 7)).toEqual({ state: 'failed', exit_code: 7 });
    expect(outcomeOf(undefined, 0)).toEqual({ state: 'done' });
    expect(outcomeOf(undefined, undefined)).toBeUndefined();
  });
});

describe('the journal', () => {
  it('tells a later process what was submitted, and what nobody waits for any more', async () => {
    const trials = ['a', 'b'];
    const first = new SlurmJournal(folder);
    const array = await first.plan(trials);
    expect(await new SlurmJournal(folder).read()).toMatchObject([{ trials, job_id: undefined }]);
    await first.submitted(array, '42');
    await first.settled(array, 1, 'done');
    const [again] = await new SlurmJournal(folder).read();
    expect(again).toEqual({ token: array.token, trials, job_id: '42', settled: new Set([1]) });
  });
});
