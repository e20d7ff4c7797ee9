import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { RUN_TAG } from './process-table.ts';

export interface WorkerCommandOptions {
  python: string;
  pythonPath: string;
  /** the module that torchrun, or a single process, runs */
  module?: string;
  args: readonly string[];
  /** processes on this machine; more than one go through torchrun */
  nproc: number;
  env?: Readonly<Record<string, string>>;
  /** holds worker.log, and torchrun's own files */
  log_dir: string;
}

export interface WorkerCommand {
  file: string;
  args: string[];
}

const torchrun = ({ nproc, log_dir }: WorkerCommandOptions): string[] => [
  ...['-m', 'torch.distributed.run', '--standalone', `--nproc-per-node=${nproc}`, '--max-restarts=0'],
  `--log-dir=${join(log_dir, 'ranks')}`,
];

/** The command that starts a worker. `supervise` ends it when the process that started it is gone. */
export const workerCommand = (options: WorkerCommandOptions): WorkerCommand => {
  const { python, module = 'posetwin.worker', args, nproc } = options;
  const launcher = nproc > 1 ? torchrun(options) : [];
  return { file: python, args: ['-m', 'posetwin.supervise', ...launcher, '-m', module, ...args] };
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
  ...(options.nproc > 1 ? { TORCHELASTIC_ERROR_FILE: errorFileOf(options.log_dir) } : {}),
});
