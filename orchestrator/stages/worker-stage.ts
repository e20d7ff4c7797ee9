import { join } from 'node:path';
import type { WorkerEvent } from '../contracts/events.ts';
import { Job } from '../contracts/job.ts';
import { PosetwinError } from '../errors.ts';
import { runLocally } from '../executors/local.ts';
import type { PlannedStage } from '../plan/plan.ts';
import type { StageName } from '../plan/versions.ts';
import { writeJson } from '../runs/index.ts';
import type { RunContext } from './context.ts';

export type WorkerStageName = Job['stage'] & StageName;

export interface WorkerStageOptions {
  /** name → path of what the job reads */
  inputs: Record<string, string>;
  nnodes?: number;
  nproc_per_node?: number;
  /** of several workers in one folder: its job file and its log are its own */
  part?: string;
  /** called in order and waited for; what it throws ends the worker */
  onEvent?: (event: WorkerEvent) => void | Promise<void>;
}

/** The job of a planned worker stage: its spec exactly as it is in the key, plus paths and device. */
export const jobOf = (
  { plan, experiment }: Pick<RunContext, 'plan' | 'experiment'>,
  name: WorkerStageName,
  output_dir: string,
  inputs: Record<string, string>,
): Job => {
  const planned: PlannedStage | null = plan.stages[name];
  if (planned === null) throw new PosetwinError('bug', `the plan does without the stage ${name}`);
  const { key, spec } = planned;
  const { device, num_threads, num_workers, rank_timeout_s, wandb } = experiment;
  return Job.parse({
    stage: name,
    key,
    output_dir,
    device,
    num_threads,
    num_workers,
    rank_timeout_s,
    wandb,
    inputs,
    spec,
  });
};

/**
 * Runs a stage's worker in `folder` to its end. Raises the worker's own error with its traceback and log, and
 * `cancelled` when Ctrl-C stopped it with everything saved.
 */
export const runWorkerStage = async (
  context: RunContext,
  name: WorkerStageName,
  folder: string,
  { inputs, part, nnodes = 1, nproc_per_node = 1, onEvent }: WorkerStageOptions,
): Promise<void> => {
  const { emit, services, run, interrupts } = context;
  const job = jobOf(context, name, folder, inputs);
  const job_file = join(folder, part === undefined ? 'job.json' : `job-${part}.json`);
  const log_dir = part === undefined ? run.file('logs', name) : join(folder, 'logs', part);
  await writeJson(job_file, job);
  const setup = await services.python();
  const launch = { job, job_file, setup, nnodes, nproc_per_node, log_dir };
  const exit = await runLocally(launch, interrupts, async event => {
    emit({ type: 'worker', stage: name, event });
    await onEvent?.(event);
  });
  if (exit.outcome !== 'finished') throw interrupted(name, exit.outcome);
};

const interrupted = (name: string, outcome: 'stopped' | 'killed'): PosetwinError =>
  new PosetwinError('cancelled', outcome === 'stopped' ? `${name} stopped, all saved` : `${name} was killed`, {
    hint: outcome === 'stopped' ? 'the same command continues' : 'the same command continues from the last checkpoint',
  });
