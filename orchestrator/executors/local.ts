import { WorkerEvent } from '../contracts/events.ts';
import type { Job } from '../contracts/job.ts';
import type { PythonSetup } from '../processes/python-setup.ts';
import { startWorker, type WorkerExit } from '../processes/torchrun.ts';
import { type WorkerCommandOptions, workerCommand } from '../processes/worker-command.ts';

export interface Launch {
  job: Pick<Job, 'num_threads'>;
  /** where job.json lies */
  job_file: string;
  setup: PythonSetup;
  nproc_per_node: number;
  /** holds worker.log */
  log_dir: string;
}

/** The first ends the worker with a checkpoint, the second at once. */
export interface Interrupts {
  stop: AbortSignal;
  kill: AbortSignal;
}

const optionsOf = ({ job, job_file, setup, nproc_per_node, log_dir }: Launch): WorkerCommandOptions => ({
  ...setup,
  args: [job_file],
  nproc: nproc_per_node,
  log_dir,
  env: job.num_threads > 0 ? { OMP_NUM_THREADS: String(job.num_threads) } : {},
});

/** The exact command, for `--dry-run`. */
export const describeLaunch = (launch: Launch): string => {
  const { file, args } = workerCommand(optionsOf(launch));
  return `PYTHONPATH=${launch.setup.pythonPath} ${[file, ...args].join(' ')}`;
};

/**
 * Runs a job on this machine to its end. `onEvent` is called in order; what it throws ends the worker.
 * Raises the worker's own error with the failing rank's traceback and the log.
 */
export const runLocally = async (
  launch: Launch,
  interrupts: Interrupts,
  onEvent: (event: WorkerEvent) => void | Promise<void>,
): Promise<WorkerExit> => {
  const worker = startWorker({
    ...optionsOf(launch),
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
