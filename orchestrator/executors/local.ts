import { WorkerEvent } from '../contracts/events.ts';
import type { Job } from '../contracts/job.ts';
import type { PythonSetup } from '../processes/python-setup.ts';
import { meetingOf } from '../processes/slurm-job.ts';
import { startWorker, type WorkerExit } from '../processes/torchrun.ts';
import { type Nodes, type WorkerCommandOptions, workerCommand } from '../processes/worker-command.ts';

export interface Launch {
  job: Pick<Job, 'num_threads'>;
  /** where job.json lies */
  job_file: string;
  setup: PythonSetup;
  /** more than one are nodes of the Slurm job that this process is in */
  nnodes: number;
  nproc_per_node: number;
  /** holds worker.log */
  log_dir: string;
}

/** The first ends the worker with a checkpoint, the second at once. */
export interface Interrupts {
  stop: AbortSignal;
  kill: AbortSignal;
}

const optionsOf = (
  { job, job_file, setup, nproc_per_node, log_dir }: Launch,
  nodes: Nodes | undefined,
): WorkerCommandOptions => ({
  ...setup,
  args: [job_file],
  nproc: nproc_per_node,
  log_dir,
  ...(nodes === undefined ? {} : { nodes }),
  env: job.num_threads > 0 ? { OMP_NUM_THREADS: String(job.num_threads) } : {},
});

/** Of a job that is still to come. */
const someNodes = (nnodes: number): Nodes => ({ nnodes, endpoint: '$ADDRESS:$PORT', id: '$SLURM_JOB_ID' });

/** The exact command, for `--dry-run`. */
export const describeLaunch = (launch: Launch): string => {
  const nodes = launch.nnodes > 1 ? someNodes(launch.nnodes) : undefined;
  const { file, args } = workerCommand(optionsOf(launch, nodes));
  return `PYTHONPATH=${launch.setup.pythonPath} ${[file, ...args].join(' ')}`;
};

/**
 * Runs a job on this machine, or on the nodes of the Slurm job that this process is in, to its end. `onEvent` is called in order; what it throws ends the worker.
 * Raises the worker's own error with the failing rank's traceback and the log.
 */
export const runLocally = async (
  launch: Launch,
  interrupts: Interrupts,
  onEvent: (event: WorkerEvent) => void | Promise<void>,
): Promise<WorkerExit> => {
  const nodes = launch.nnodes > 1 ? await meetingOf(launch.nnodes) : undefined;
  const worker = startWorker({
    ...optionsOf(launch, nodes),
    eventSchema: WorkerEvent,
    onEvent,
    signal: interrupts.stop,
  });
  interrupts.kill.addEventListener('abort', worker.kill, { once: true });
  if (interrupts.kill.aborted) worker.kill();
  try {
    return await worker.exit;
  } finally {
    interrupts.kill.removeEventListener('abort', worker.kill);
  }
};
