import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { RUN_TAG } from './process-table.ts';

export interface WorkerCommandOptions {
  python: string;
  pythonPath: string;
  /** the module that torchrun, or a single process, runs */
  module?: string;
  args: readonly string[];
  /** processes on each machine */
  nproc: number;
  /** the machines, where they are several; else it is this one */
  nodes?: Nodes;
  env?: Readonly<Record<string, string>>;
  /** holds worker.log, and torchrun's own files */
  log_dir: string;
}

/** Nodes of a Slurm job, and where their torchruns meet. */
export interface Nodes {
  nnodes: number;
  /** host:port on one of them */
  endpoint: string;
  /** the job's id: torchruns of other jobs are strangers */
  id: string;
  /** CPU cores of each, where the job was given a number of them */
  cpus?: string;
}

export interface WorkerCommand {
  file: string;
  args: string[];
}

/** Ranks on all machines; more than one go through torchrun. */
export const worldSize = ({ nproc, nodes }: Pick<WorkerCommandOptions, 'nproc' | 'nodes'>): number =>
  nproc * (nodes?.nnodes ?? 1);

const meeting = (nodes: Nodes | undefined): string[] =>
  nodes === undefined
    ? ['--standalone']
    : [
        ...[`--nnodes=${nodes.nnodes}`, '--rdzv-backend=c10d'],
        ...[`--rdzv-endpoint=${nodes.endpoint}`, `--rdzv-id=${nodes.id}`],
      ];

const torchrun = ({ nproc, nodes, log_dir }: WorkerCommandOptions): string[] => [
  ...['-m', 'torch.distributed.run', ...meeting(nodes), `--nproc-per-node=${nproc}`, '--max-restarts=0'],
  `--log-dir=${join(log_dir, 'ranks')}`,
];

/** One torchrun on each node; when one fails, all end. srun would leave it to the site what they inherit. */
const srun = ({ nnodes, cpus }: Nodes): string[] => [
  ...['srun', `--nodes=${nnodes}`, `--ntasks=${nnodes}`, '--ntasks-per-node=1', '--kill-on-bad-exit=1'],
  ...['--export=ALL', ...(cpus === undefined ? [] : [`--cpus-per-task=${cpus}`])],
];

/** The command that starts a worker. `supervise` ends it when the process that started it is gone. */
export const workerCommand = (options: WorkerCommandOptions): WorkerCommand => {
  const { python, module = 'posetwin.worker', args, nodes } = options;
  const launcher = worldSize(options) > 1 ? torchrun(options) : [];
  const supervised = ['-m', 'posetwin.supervise', ...launcher, '-m', module, ...args];
  if (nodes === undefined) return { file: python, args: supervised };
  return { file: python, args: ['-m', 'posetwin.supervise', '--', ...srun(nodes), python, ...supervised] };
};

export const errorFileOf = (log_dir: string): string => join(log_dir, 'error.json');

/** torchrun would set one thread a process, without asking how many cores there are. */
const threadsFor = (nproc: number): string => String(Math.max(1, Math.floor(availableParallelism() / nproc)));

export const workerEnvironment = (options: WorkerCommandOptions, tag: string): NodeJS.ProcessEnv => ({
  OMP_NUM_THREADS: threadsFor(options.nproc),
  ...process.env,
  ...options.env,
  PYTHONPATH: options.pythonPath,
  PYTHONUNBUFFERED: '1',
  POSETWIN_PARENT_PID: String(process.pid),
  // torchrun's ranks have another parent; their tests kill this one.
  POSETWIN_ORCHESTRATOR_PID: String(process.pid),
  [RUN_TAG]: tag,
  ...(worldSize(options) > 1 ? { TORCHELASTIC_ERROR_FILE: errorFileOf(options.log_dir) } : {}),
});
