/** Trials on a real Slurm cluster of two nodes, both on this machine. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Slurm } from '../../orchestrator/contracts/slurm.ts';
import { SlurmTrials } from '../../orchestrator/executors/slurm.ts';
import type { SlurmOptions } from '../../orchestrator/executors/slurm-arrays.ts';
import type { TrialCommand, TrialOutcome } from '../../orchestrator/executors/trials.ts';
import { isAlive } from '../../orchestrator/processes/process-table.ts';
import { ensurePython } from '../../orchestrator/processes/python-setup.ts';
import { hashFile, readJson, SweepFolder } from '../../orchestrator/runs/index.ts';
import { type Cluster, startCluster, stopCluster, whyNoCluster } from '../../scripts/slurm/cluster.ts';
import { newFolder, posetwin } from '../fixtures/small-run.ts';

const run = promisify(execFile);
const slurm = Slurm.parse({ poll_seconds: 1, signal_seconds: 60 });
const reason = await whyNoCluster();

let cluster: Cluster;
let folder: string;

const until = async (happened: () => boolean | Promise<boolean>, what: string): Promise<void> => {
  for (const deadline = Date.now() + 60_000; !(await happened()); await delay(50))
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

const tsx = (file: string): string[] => ['--import', import.meta.resolve('tsx'), resolve(file)];

interface Running {
  outcomes: Map<string, TrialOutcome>;
  said: string[];
  ended: Promise<void>;
  stop: () => void;
  kill: () => void;
}

const usual = () => ({
  ...{ name: 'trials', folder: join(folder, 'slurm'), slots: 2, slurm },
  entry: resolve('test/fixtures/trial.cjs'),
});

const start = (trials: readonly TrialCommand[], options: Partial<SlurmOptions> = {}): Running => {
  const [stop, kill] = [new AbortController(), new AbortController()];
  const outcomes = new Map<string, TrialOutcome>();
  const said: string[] = [];
  const executor = new SlurmTrials({ ...usual(), say: line => said.push(line), ...options });
  const interrupts = { stop: stop.signal, kill: kill.signal };
  const ended = executor.run(trials, (id, outcome) => void outcomes.set(id, outcome), interrupts);
  return { outcomes, said, ended, stop: () => stop.abort(), kill: () => kill.abort() };
};

const jobIdOf = (said: readonly string[]): string => /job (\d+)/.exec(said.join('\n'))?.[1] ?? '';
const stateOf = async (job_id: string): Promise<string> =>
  /JobState=(\w+ Reason=\w+)/.exec((await run('scontrol', ['show', 'job', '--oneliner', job_id])).stdout)?.[1] ?? '';

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

const where = reason === undefined ? 'on Slurm' : `on Slurm (${reason})`;

describe.skipIf(reason !== undefined)(`trials ${where}`, () => {
  it('run two at a time, each with its own arguments to the letter; one is cut, and one fails alone', async () => {
    const hostile = ["it's", '$(touch /tmp/never)', 'two\nlines', '`"\\', '-n', ''];
    const trials = [0, 5, 7, 0].map((code, index) => trial(`t${index}`, ['exits', String(code), ...hostile]));
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
      ...{ t0: { state: 'done' }, t1: { state: 'cut' }, t3: { state: 'done' } },
      t2: { state: 'failed', exit_code: 7 },
    });
    expect(most).toBe(2);
    expect((await startsOf('t2'))[0]?.rest).toEqual(hostile);
    expect(said[0]).toContain('4 trials, at most 2 at a time');
  });

  it('save a checkpoint when they are stopped, and the same command goes on from there', async () => {
    const trials = [waiting('a'), waiting('b'), trial('c', ['exits', '0'])];
    const first = start(trials);
    await until(() => isReady('a') && isReady('b'), 'two trials');
    first.stop();
    await first.ended;
    expect([...first.outcomes.values()]).toEqual(Array(3).fill({ state: 'cancelled' }));
    expect(existsSync(join(folder, 'a.checkpoint'))).toBe(true);
    expect(existsSync(join(folder, 'c.log'))).toBe(false);
    const second = start(trials);
    await second.ended;
    expect([...second.outcomes.values()]).toEqual(Array(3).fill({ state: 'done' }));
    expect(await startsOf('a')).toHaveLength(2);
  });

  it('end at once at the second interrupt', async () => {
    const { outcomes, said, ended, stop, kill } = start([waiting('a')]);
    await until(() => isReady('a'), 'the trial');
    kill();
    stop();
    await ended;
    expect(outcomes.get('a')).toEqual({ state: 'cancelled' });
    await until(async () => (await stateOf(jobIdOf(said))).startsWith('CANCELLED'), 'the end of the job');
  });

  it('save a checkpoint when they are preempted, are requeued and go on', async () => {
    const { outcomes, said, ended } = start([waiting('a')]);
    await until(() => isReady('a'), 'the trial');
    const job_id = jobIdOf(said);
    await run('scancel', ['--batch', '--signal=USR1', job_id]);
    await until(async () => (await stateOf(job_id)) === 'PENDING Reason=BeginTime', 'the requeued job');
    expect(outcomes.size).toBe(0);
    // A requeued job waits two minutes, which nobody need do here; in its own second a node would refuse it.
    await run('scontrol', ['update', `JobId=${job_id}_0`, 'StartTime=now+2']);
    await ended;
    expect(outcomes.get('a')).toEqual({ state: 'done' });
    expect(await startsOf('a')).toMatchObject([{ start: 0 }, { start: 1 }]);
  });

  it('are found again when the orchestrator is killed', async () => {
    const trials = [waiting('a'), trial('b', ['exits', '0'])];
    const given = JSON.stringify({ options: usual(), trials });
    const orchestrator = spawn(process.execPath, [...tsx('test/fixtures/slurm-orchestrator.ts'), given]);
    await until(() => isReady('a') && existsSync(join(folder, 'b.log')), 'two trials');
    orchestrator.kill('SIGKILL');
    await once(orchestrator, 'close');
    const again = start(trials);
    await until(() => again.outcomes.has('b'), 'the trial that went on alone');
    again.stop();
    await again.ended;
    expect(Object.fromEntries(again.outcomes)).toEqual({ a: { state: 'cancelled' }, b: { state: 'done' } });
    expect(await startsOf('a')).toHaveLength(1);
    expect(await startsOf('b')).toHaveLength(1);
  });

  it('count as cancelled when somebody else cancels their job', async () => {
    const { outcomes, said, ended } = start([waiting('a')]);
    await until(() => isReady('a'), 'the trial');
    await run('scancel', [jobIdOf(said)]);
    await ended;
    expect(outcomes.get('a')).toEqual({ state: 'cancelled' });
  });

  it.each([
    ['their comment when nobody could note the id of their job', ''],
    ['what their job script wrote when the controller has forgotten the job', '999999'],
  ])('are found again by %s', async (_, job_id) => {
    const trials = [trial('a', ['exits', '0'])];
    await start(trials).ended;
    const journal = join(folder, 'slurm', 'journal.jsonl');
    const [planned = '', submitted = ''] = (await readFile(journal, 'utf8')).split('\n');
    const kept = job_id === '' ? [planned] : [planned, submitted.replace(/"job_id":"\d+"/, `"job_id":"${job_id}"`)];
    await writeFile(journal, `${kept.join('\n')}\n`);
    const { outcomes, said, ended } = start(trials);
    await ended;
    expect(said[0]).toMatch(/found job \d+ again/);
    expect(outcomes.get('a')).toEqual({ state: 'done' });
    expect(await startsOf('a')).toHaveLength(1);
  });

  it('are refused with slurm_refused and what sbatch said when the cluster has no such partition', async () => {
    const { ended } = start([trial('a', [])], { slurm: { ...slurm, partition: 'nowhere' } });
    await expect(ended).rejects.toMatchObject({ code: 'slurm_refused', message: expect.stringContaining('nowhere') });
  });
});

/** A job on both nodes that launches the fixture's ranks as the orchestrator does; its output is `out`. */
const launchOnNodes = async (stage: string): Promise<{ job_id: string; out: string; pids: number[] }> => {
  const { python, pythonPath } = await ensurePython();
  const [job, out, options] = ['job.json', 'out', 'options.json'].map(name => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await mkdir(join(folder, 'pids'));
  await writeFile(job, JSON.stringify({ stage, folder: join(folder, 'pids') }));
  const path = [pythonPath, resolve('test/fixtures/python')].join(delimiter);
  const launch = { python, pythonPath: path, module: 'worker_fixture', args: [job], nproc: 1, nnodes: 2 };
  await writeFile(options, JSON.stringify({ ...launch, log_dir: join(folder, 'log') }));
  const command = `"$NODE" "$@" "$(cat ${options})" & echo $! > ${join(folder, 'pid')}; trap 'kill $!' TERM; wait; wait; sleep 30`;
  await writeFile(join(folder, 'job.sh'), `#!/bin/bash\n${command}\n`);
  const shape = ['--parsable', '--nodes=2', '--ntasks-per-node=1', `--output=${out}`];
  const env = { ...process.env, NODE: process.execPath };
  const { stdout } = await run('sbatch', [...shape, join(folder, 'job.sh'), ...tsx('test/fixtures/launch.ts')], {
    env,
  });
  await until(async () => /"ready"/.test(await readFile(out, 'utf8').catch(() => '')), 'both ranks');
  const { pids } = JSON.parse((await readFile(out, 'utf8')).split('\n').find(line => line.includes('"ready"')) ?? '');
  return { job_id: stdout.trim(), out, pids };
};

describe.skipIf(reason !== undefined)(`ranks on two nodes ${where}`, () => {
  it('stop together and count as stopped', async () => {
    const { job_id, out } = await launchOnNodes('waits');
    await run('scancel', ['--batch', '--signal=TERM', job_id]);
    await until(async () => (await readFile(out, 'utf8')).includes('"exit"'), 'the end');
    expect(await readFile(out, 'utf8')).toContain('"outcome":"stopped","exit_code":0');
    await run('scancel', [job_id]);
  });

  it('end with a killed orchestrator, though their job goes on', async () => {
    const { job_id, pids } = await launchOnNodes('ignores_stop');
    process.kill(Number(await readFile(join(folder, 'pid'), 'utf8')), 'SIGKILL');
    await until(() => !pids.some(isAlive), 'the end of both');
    expect(await stateOf(job_id)).toContain('RUNNING');
    await run('scancel', [job_id]);
  });
});

/** sha256 of the adapter that a trial has trained. */
const adapterOf = async (home: string, id: string): Promise<string> => {
  const run = join(home, 'runs', 'small', id);
  const { train = '' } = await readJson(join(run, 'stages.json'), z.record(z.string(), z.string()));
  return hashFile(join(run, train, 'adapter', 'diffusion_pytorch_model.safetensors'));
};

describe.skipIf(reason !== undefined)(`a sweep ${where}`, () => {
  it('trains the same bits with one rank on each of two nodes and with two ranks on one', async () => {
    const home = await newFolder();
    const ranks = ['--sweep', 'train.nnodes=2,1', '--sweep', 'train.nproc_per_node=1,2'];
    const sweep = ['sweep.strategy=list', 'sweep.slots=2', 'slurm.poll_seconds=1'];
    const steps = ['train.max_train_steps=2', 'schedule.num_steps=4'];
    const settings = [...sweep, ...steps].flatMap(setting => ['--set', setting]);
    const { code, output } = await posetwin(home, ['small.yaml', '--until', 'train', ...ranks, ...settings]);
    expect(code, output).toBe(0);
    const [nodes, node] = (await new SweepFolder('small', join(home, 'runs')).plan())?.trials ?? [];
    expect(await adapterOf(home, nodes?.id ?? '')).toBe(await adapterOf(home, node?.id ?? ''));
    await rm(home, { recursive: true });
  }, 300_000);
});

describe.skipIf(reason !== undefined)(`a set ${where}`, () => {
  it('is made in parts by the tasks of an array, and ended by the run that finds them done', async () => {
    const home = await newFolder();
    const words = [process.execPath, ...tsx('orchestrator/run.ts'), 'assemble', 'small.yaml'].map(word => `'${word}'`);
    // Chunks of 512: two of them, one a task.
    const size = '--set dataset.num_images=600';
    const script = `#!/bin/bash\n${words.join(' ')} ${size} --part "$SLURM_ARRAY_TASK_ID/2"\n`;
    await writeFile(join(home, 'part.sh'), script);
    await run('sbatch', ['--array=0-1', '--wait', `--output=${home}/part-%a.out`, 'part.sh'], { cwd: home });
    const shards = (await readdir(join(home, '.posetwin/store/assemble'), { recursive: true })).filter(name =>
      name.endsWith('.tar'),
    );
    expect(shards.map(name => name.slice(-10)).sort()).toEqual(['000000.tar', '000001.tar']);
    const { code, output } = await posetwin(home, ['small.yaml', '--until', 'assemble', ...size.split(' ')]);
    expect(code, output).toBe(0);
    expect(output).toContain('assemble  resumed');
    // No picture was made again.
    expect(output).not.toContain(' images');
    await rm(home, { recursive: true });
  }, 180_000);
});
