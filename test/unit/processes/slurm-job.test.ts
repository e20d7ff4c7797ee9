import { describe, expect, it } from 'vitest';
import { requireNodes } from '../../../orchestrator/processes/slurm-job.ts';
import { type WorkerCommandOptions, workerCommand } from '../../../orchestrator/processes/worker-command.ts';

describe('a training on several nodes', () => {
  const job = { SLURM_JOB_ID: '7', SLURM_JOB_NUM_NODES: '2' };

  it('runs in a job that has as many, and on one node anywhere', () => {
    expect(() => requireNodes(2, 'train.nnodes', job)).not.toThrow();
    expect(() => requireNodes(1, 'train.nnodes', {})).not.toThrow();
  });

  it.each([
    ['outside Slurm', {}, 'no Slurm job'],
    ['in a smaller job', { ...job, SLURM_JOB_NUM_NODES: '1' }, 'job 7 has 1'],
  ])('is refused with too_few_nodes %s, with a remedy', (_, env, words) => {
    const refusal = { code: 'too_few_nodes', class: 'environment', message: expect.stringContaining(words) };
    const details = { path: 'train.nnodes', hint: expect.stringContaining('sbatch --nodes=2') };
    expect(() => requireNodes(2, 'train.nnodes', env)).toThrow(expect.objectContaining({ ...refusal, details }));
  });
});

describe('the command of a worker', () => {
  const options: WorkerCommandOptions = {
    python: 'python',
    pythonPath: '',
    args: ['job.json'],
    nproc: 1,
    log_dir: 'log',
  };
  const nodes = { nnodes: 2, endpoint: '10.0.0.1:20007', id: '7' };
  const worker = '-m posetwin.worker job.json';
  const textOf = (more: Partial<WorkerCommandOptions>): string => workerCommand({ ...options, ...more }).args.join(' ');

  it('is Python alone for one rank, and torchrun for several', () => {
    expect(textOf({})).toBe(`-m posetwin.supervise ${worker}`);
    expect(textOf({ nproc: 2 })).toContain('torch.distributed.run --standalone --nproc-per-node=2');
  });

  it('is one torchrun on each node, all of which meet at one place, even with one rank each', () => {
    const text = textOf({ nodes: { ...nodes, cpus: '8' } });
    expect(text).toMatch(
      /^-m posetwin.supervise -- srun --nodes=2 --ntasks=2 --ntasks-per-node=1 --kill-on-bad-exit=1/,
    );
    expect(text).toContain('--cpus-per-task=8 python -m posetwin.supervise -m torch.distributed.run --nnodes=2');
    expect(text).toContain('--rdzv-backend=c10d --rdzv-endpoint=10.0.0.1:20007 --rdzv-id=7 --nproc-per-node=1');
    expect(text.endsWith(worker)).toBe(true);
  });
});
