/** The Slurm job that this process runs in. */
import { PosetwinError } from '../errors.ts';
import { firstAddress } from './slurm.ts';
import type { Nodes } from './worker-command.ts';

const remedy = (nnodes: number, path: string): string =>
  `a sweep with the executor slurm asks for them; by hand: sbatch --nodes=${nnodes} --ntasks-per-node=1; or ${path}: 1`;

/** Refuses a training on more nodes than there are here. Raises `too_few_nodes`. */
export const requireNodes = (nnodes: number, path: string, env: NodeJS.ProcessEnv = process.env): void => {
  if (nnodes === 1) return;
  const { SLURM_JOB_ID, SLURM_JOB_NUM_NODES = '1' } = env;
  if (SLURM_JOB_ID !== undefined && Number(SLURM_JOB_NUM_NODES) >= nnodes) return;
  const here =
    SLURM_JOB_ID === undefined ? 'this is no Slurm job' : `Slurm job ${SLURM_JOB_ID} has ${SLURM_JOB_NUM_NODES}`;
  throw new PosetwinError('too_few_nodes', `the training needs ${nnodes} nodes, and ${here}`, {
    path,
    hint: remedy(nnodes, path),
  });
};

/** Above what services use, and another one for another job on the same node. */
const portOf = (job_id: string): number => 20_000 + (Number(job_id) % 20_000);

/** Where the torchruns of this job's nodes meet. Raises `too_few_nodes` and what asking the controller raises. */
export const meetingOf = async (nnodes: number, env: NodeJS.ProcessEnv = process.env): Promise<Nodes> => {
  requireNodes(nnodes, 'train.nnodes', env);
  const { SLURM_JOB_ID: id = '', SLURM_JOB_NODELIST = '', SLURM_CPUS_PER_TASK: cpus } = env;
  const endpoint = `${await firstAddress(SLURM_JOB_NODELIST)}:${portOf(id)}`;
  return { nnodes, endpoint, id, ...(cpus === undefined ? {} : { cpus }) };
};
