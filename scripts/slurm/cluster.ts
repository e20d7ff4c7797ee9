/** A whole Slurm cluster on one machine, for tests: several nodes, no systemd, no cgroups, no database. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { availableParallelism, hostname, totalmem, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { $, which } from 'zx';

export interface Cluster {
  folder: string;
  /** what SLURM_CONF must name for Slurm's commands to find this cluster */
  conf: string;
}

const programs = ['slurmctld', 'slurmd', 'sbatch', 'munged'];
const install = 'apt-get install -y --no-install-recommends slurmctld slurmd slurm-client munge';

/** Why no cluster can be started here; undefined when one can. */
export const whyNoCluster = async (): Promise<string | undefined> => {
  if (process.platform !== 'linux') return 'Slurm runs on Linux alone';
  if (process.getuid?.() !== 0) return 'a Slurm cluster of several nodes on one machine needs root';
  const found = await Promise.all(programs.map(name => which(name, { nothrow: true })));
  const missing = programs.filter((_, index) => found[index] === null);
  return missing.length === 0 ? undefined : `no ${missing.join(', ')}: ${install}`;
};

const freePort = (): Promise<number> =>
  new Promise((done, fail) => {
    const server = createServer().on('error', fail);
    server.listen(0, () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });

const freePorts = async (count: number): Promise<number[]> => {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = await freePort();
    if (!ports.includes(port)) ports.push(port);
  }
  return ports;
};

const host = (): string => hostname().split('.')[0] ?? 'localhost';

const configuration = (folder: string, [port = 0, ...nodePorts]: readonly number[]): string => {
  const user = userInfo().username;
  const memory_mb = Math.floor((totalmem() / 2 ** 20 / nodePorts.length) * 0.9);
  const node = `NodeHostname=${host()} NodeAddr=127.0.0.1 CPUs=${availableParallelism()} RealMemory=${memory_mb}`;
  const lines = {
    ClusterName: 'test',
    SlurmctldHost: `${host()}(127.0.0.1)`,
    SlurmctldPort: port,
    SlurmUser: user,
    SlurmdUser: user,
    AuthType: 'auth/munge',
    CredType: 'cred/munge',
    AuthInfo: `socket=${folder}/munge/munge.sock`,
    StateSaveLocation: `${folder}/ctld`,
    SlurmdSpoolDir: `${folder}/spool/%n`,
    SlurmctldPidFile: `${folder}/slurmctld.pid`,
    SlurmdPidFile: `${folder}/slurmd-%n.pid`,
    SlurmctldLogFile: `${folder}/log/slurmctld.log`,
    SlurmdLogFile: `${folder}/log/slurmd-%n.log`,
    // Without cgroups and systemd.
    ProctrackType: 'proctrack/linuxproc',
    TaskPlugin: 'task/none',
    JobAcctGatherType: 'jobacct_gather/none',
    AccountingStorageType: 'accounting_storage/none',
    MpiDefault: 'none',
    SwitchType: 'switch/none',
    MailProg: '/bin/true',
    SelectType: 'select/cons_tres',
    SelectTypeParameters: 'CR_Core',
    SchedulerType: 'sched/backfill',
    SchedulerParameters: 'sched_interval=1,bf_interval=1',
    ReturnToService: 2,
    JobRequeue: 1,
    KillWait: 5,
    PropagateResourceLimits: 'NONE',
  };
  return [
    ...Object.entries(lines).map(([key, value]) => `${key}=${value}`),
    ...nodePorts.map((nodePort, index) => `NodeName=n${index + 1} ${node} Port=${nodePort} State=UNKNOWN`),
    'PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE State=UP',
    '',
  ].join('\n');
};

const startMunge = async (folder: string): Promise<void> => {
  const file = (name: string) => join(folder, 'munge', name);
  await writeFile(file('munge.key'), randomBytes(1024), { mode: 0o600 });
  const files = [`--key-file=${file('munge.key')}`, `--socket=${file('munge.sock')}`, `--seed-file=${file('seed')}`];
  await $`munged --force ${files} --pid-file=${file('munged.pid')} --log-file=${file('munged.log')}`.quiet();
};

const waitUntilIdle = async (conf: string, nodes: number): Promise<void> => {
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    const { stdout } = await $({ env: { ...process.env, SLURM_CONF: conf }, nothrow: true, quiet: true })`sinfo
      --noheader --Node --states=idle --format=%N`;
    if (stdout.trim().split('\n').filter(Boolean).length === nodes) return;
    await delay(100);
  }
  throw new Error(`the nodes did not come up; ${join(conf, '..', 'log')} says why`);
};

/** Starts a cluster whose files are all in `folder`. */
export const startCluster = async (folder: string, nodes = 2): Promise<Cluster> => {
  const root = resolve(folder);
  for (const name of ['ctld', 'log', 'munge', 'spool']) await mkdir(join(root, name), { recursive: true, mode: 0o755 });
  const conf = join(root, 'slurm.conf');
  await writeFile(conf, configuration(root, await freePorts(nodes + 1)));
  await startMunge(root);
  const run = $({ env: { ...process.env, SLURM_CONF: conf }, quiet: true });
  await run`slurmctld`;
  for (let node = 1; node <= nodes; node += 1) {
    await mkdir(join(root, 'spool', `n${node}`), { recursive: true });
    await run`slurmd -N ${`n${node}`}`;
  }
  await waitUntilIdle(conf, nodes);
  return { folder: root, conf };
};

/** By their files: a container may have no process that takes note of the end of another. */
const waitUntilGone = async (list: () => Promise<string[]>): Promise<void> => {
  for (let tries = 0; tries < 50 && (await list()).length > 0; tries += 1) await delay(100);
};

const pidFiles = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter(name => name.endsWith('.pid')).map(name => join(folder, name));

const killByFile = async (file: string, signal: NodeJS.Signals): Promise<void> => {
  const pid = Number(await readFile(file, 'utf8').catch(() => '0'));
  try {
    if (pid > 0) process.kill(pid, signal);
  } catch {
    // gone already
  }
};

/** Ends every job and every daemon of the cluster in `folder`. */
export const stopCluster = async (folder: string): Promise<void> => {
  const root = resolve(folder);
  if (!existsSync(join(root, 'slurm.conf'))) return;
  const env = { ...process.env, SLURM_CONF: join(root, 'slurm.conf') };
  const run = $({ env, quiet: true, nothrow: true });
  await run`scancel --full --signal=KILL --user=${userInfo().username}`;
  await run`scontrol shutdown`;
  await waitUntilGone(() => pidFiles(root));
  for (const file of await pidFiles(root)) await killByFile(file, 'SIGKILL');
  await killByFile(join(root, 'munge', 'munged.pid'), 'SIGTERM');
  await waitUntilGone(() => pidFiles(join(root, 'munge')));
};
