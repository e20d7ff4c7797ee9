/**
 * `npm run drill`: a sweep of 24 trials is killed in its middle (`kill -9`) and continued; then the same sweep is run on a
 * Slurm cluster of this machine (root, Debian's slurmctld, slurmd, munge). Tells what ran twice, what sharing saved and
 * whether both gave the same bits; fails where something ran twice or the bits differ. Twenty minutes on two cores.
 * `--no-slurm` leaves the second half out; `--keep` the folders.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { $, argv } from 'zx';
import { SweepPlan, TrialAttempt } from '../orchestrator/contracts/sweep.ts';
import { hashFile, readJson, readLines } from '../orchestrator/runs/index.ts';
import { startCluster, stopCluster, whyNoCluster } from './slurm/cluster.ts';

const file = resolve('experiments/sweep-smoke.yaml');
const posetwin = ['--import', import.meta.resolve('tsx'), resolve('orchestrator/run.ts')];
const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(0)} s`;

/** One folder that the sweep is run in, as a user's working directory. */
class Drill {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  command(...args: string[]) {
    return $({ cwd: this.folder, quiet: true, nothrow: true })`${process.execPath} ${posetwin} ${args}`;
  }

  async plan(): Promise<SweepPlan> {
    return readJson(join(this.folder, 'runs/sweep-smoke/sweep/plan.json'), SweepPlan);
  }

  attempts(): Promise<TrialAttempt[]> {
    return readLines(join(this.folder, 'runs/sweep-smoke/sweep/attempts.jsonl'), TrialAttempt);
  }

  log(id: string): Promise<string> {
    return readFile(join(this.folder, 'runs/sweep-smoke/sweep/logs', `${id}.log`), 'utf8');
  }

  /** Of what a trial has trained and what the judge saw: equal for equal bits. */
  async digest(id: string): Promise<string> {
    const run = join(this.folder, 'runs/sweep-smoke', id);
    const { train = '', evaluate = '' } = await readJson(join(run, 'stages.json'), z.record(z.string(), z.string()));
    const weights = join(run, train, 'adapter', 'diffusion_pytorch_model.safetensors');
    return `${await hashFile(weights)} ${await hashFile(join(run, evaluate, 'result.json'))}`;
  }
}

const newDrill = async (): Promise<Drill> => new Drill(await mkdtemp(join(tmpdir(), 'posetwin-drill-')));

/** Kills the sweep when `count` trials are done. */
const killInTheMiddle = async (drill: Drill, count: number): Promise<number> => {
  const running = drill.command('run', file);
  while ((await drill.attempts().catch(() => [])).length < count) await delay(200);
  process.kill(running.pid ?? 0, 'SIGKILL');
  await running;
  return (await drill.attempts()).length;
};

/** Stages that were computed from their beginning more than once, or a second time after they were done. */
const ranTwice = async (drill: Drill, ids: readonly string[]): Promise<string[]> => {
  const logs = await Promise.all(ids.map(async id => [id, await drill.log(id)] as const));
  return logs.flatMap(([id, log]) => {
    const done = [...log.matchAll(/^(\w+) +done in/gm)].map(([, stage]) => stage);
    return done.filter((stage, index) => done.indexOf(stage) < index).map(stage => `${id} ${stage}`);
  });
};

const local = async (drill: Drill): Promise<string[]> => {
  const began = performance.now();
  const before = await killInTheMiddle(drill, 8);
  console.log(`killed with ${before} of 24 trials done, after ${seconds(began)}`);
  const { exitCode, stderr } = await drill.command('run', file);
  console.log(stderr.split('\n').find(line => line.includes('trials to run')) ?? '');
  const ids = (await drill.plan()).trials.map(({ id }) => id);
  const attempts = await drill.attempts();
  const [twice, done] = [await ranTwice(drill, ids), attempts.filter(({ outcome }) => outcome === 'done')];
  console.log(
    `continued: exit code ${exitCode}, ${done.length} ends of ${new Set(done.map(({ trial }) => trial)).size}`,
  );
  console.log(`trials or stages that ran twice: ${twice.length === 0 ? 'none' : twice.join(', ')}`);
  console.log(stderr.split('\n').find(line => line.includes('times that of separate runs')) ?? '');
  console.log(`local, two slots: ${seconds(began)}`);
  return exitCode === 0 && done.length === 24 && twice.length === 0 ? ids : [];
};

const onSlurm = async (drill: Drill): Promise<boolean> => {
  const cluster = await startCluster(join(drill.folder, 'cluster'), 2);
  process.env.SLURM_CONF = cluster.conf;
  try {
    const began = performance.now();
    const { exitCode, stderr } = await drill.command('run', file, '--set', 'slurm.poll_seconds=2');
    console.log(`on Slurm, two nodes: exit code ${exitCode}, ${seconds(began)}`);
    if (exitCode !== 0) console.log(stderr);
    return exitCode === 0;
  } finally {
    await stopCluster(cluster.folder);
  }
};

const compare = async (first: Drill, second: Drill, ids: readonly string[]): Promise<boolean> => {
  const equal = await Promise.all(ids.map(async id => (await first.digest(id)) === (await second.digest(id))));
  const count = equal.filter(Boolean).length;
  console.log(`adapters and judgements with the same bits on both: ${count} of ${ids.length}`);
  return count === ids.length;
};

const main = async (drills: Drill[]): Promise<boolean> => {
  const here = await newDrill();
  drills.push(here);
  const ids = await local(here);
  if (ids.length === 0) return false;
  const reason = argv.slurm === false ? 'left out' : await whyNoCluster();
  if (reason !== undefined) {
    console.log(`on Slurm: ${reason}`);
    return true;
  }
  const there = await newDrill();
  drills.push(there);
  return (await onSlurm(there)) && (await compare(here, there, ids));
};

const drills: Drill[] = [];
const isGood = await main(drills);
for (const { folder } of drills) {
  if (argv.keep || !isGood) console.log(`kept: ${folder}`);
  else if (existsSync(folder)) await rm(folder, { recursive: true });
}
process.exitCode = isGood ? 0 : 1;
