/** Slurm's own commands. Arguments go as arrays, so that no value of an experiment meets a shell. */
import { execa } from 'execa';
import { PosetwinError } from '../errors.ts';
import { type JobRecord, parseJobs } from './slurm-records.ts';

type Command = 'sbatch' | 'scontrol' | 'scancel' | 'squeue';

interface Answer {
  ok: boolean;
  stdout: string;
  stderr: string;
}

const unreachable =
  /Unable to contact|Connection (refused|timed out|reset)|Socket timed out|Zero Bytes|Transport endpoint|configuration source/i;

/** Of a job that this process may itself run in: what is submitted from there must not inherit its shape. */
const environment = (): NodeJS.ProcessEnv => {
  const kept = Object.entries(process.env).filter(([name]) => name === 'SLURM_CONF' || !name.startsWith('SLURM_'));
  // Without this scontrol cuts long lists of array tasks short.
  return { ...Object.fromEntries(kept), SLURM_BITSTR_LEN: '0' };
};

const noSlurm = (command: Command, cause: unknown): PosetwinError =>
  new PosetwinError('no_slurm', `there is no ${command} on PATH`, {
    hint: 'run this on a login node of the cluster, load its slurm module, or choose the executor local',
    cause,
  });

const ask = async (command: Command, args: readonly string[], cwd?: string): Promise<Answer> => {
  const result = await execa(command, args, {
    env: environment(),
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    ...(cwd === undefined ? {} : { cwd }),
  });
  if (result.code === 'ENOENT') throw noSlurm(command, result);
  if (result.failed && unreachable.test(result.stderr)) {
    throw new PosetwinError('slurm_unreachable', `${command}: ${result.stderr.trim()}`, {
      hint: 'sinfo shows whether the controller answers; submitted jobs go on, and the same command finds them again',
    });
  }
  return { ok: !result.failed, stdout: result.stdout, stderr: result.stderr.trim() };
};

const refused = (command: Command, args: readonly string[], { stderr }: Answer): PosetwinError =>
  new PosetwinError('slurm_refused', `${command} ${args.join(' ')}\n${stderr}`, {
    path: 'slurm',
    hint: 'compare the section slurm with what the cluster offers: sinfo, sacctmgr show assoc',
  });

const isGone = ({ stderr }: Answer): boolean => /Invalid job id/i.test(stderr);

/** Submits a job script; gives the job's id. Raises `no_slurm`, `slurm_unreachable`, `slurm_refused`. */
export const submitJob = async (script: string, options: readonly string[], cwd: string): Promise<string> => {
  const args = ['--parsable', ...options, script];
  const answer = await ask('sbatch', args, cwd);
  // `--parsable` prints `id;cluster` on a federation.
  const id = /^(\d+)(;|$)/m.exec(answer.stdout)?.[1];
  if (!answer.ok || id === undefined) throw refused('sbatch', args, answer);
  return id;
};

/** The tasks of a job array as the controller knows them; none when it has forgotten the job. Raises `slurm_unreachable`. */
export const showJobs = async (job_id: string): Promise<JobRecord[]> => {
  const args = ['show', 'job', '--oneliner', job_id];
  const answer = await ask('scontrol', args);
  if (answer.ok) return parseJobs(answer.stdout);
  if (isGone(answer)) return [];
  throw refused('scontrol', args, answer);
};

/** The address of the first node of a list as Slurm writes it: `gpu[03-04,07]`. Raises `slurm_unreachable`, `slurm_refused`. */
export const firstAddress = async (nodelist: string): Promise<string> => {
  const first = (await tell('show', 'hostnames', nodelist)).split('\n')[0]?.trim() ?? '';
  const node = await tell('show', 'node', '--oneliner', first);
  return /(?:^| )NodeAddr=(\S+)/.exec(node)?.[1] ?? first;
};

const tell = async (...args: string[]): Promise<string> => {
  const answer = await ask('scontrol', args);
  if (!answer.ok) throw refused('scontrol', args, answer);
  return answer.stdout;
};

/** Id of the user's job with this comment, whatever its state; undefined when the controller knows none. */
export const findJob = async (comment: string): Promise<string | undefined> => {
  const args = ['--me', '--noheader', '--states=all', '--format=%F|%k'];
  const answer = await ask('squeue', args);
  if (!answer.ok) throw refused('squeue', args, answer);
  const line = answer.stdout.split('\n').find(text => text.slice(text.indexOf('|') + 1).trim() === comment);
  return line?.slice(0, line.indexOf('|')).trim();
};

const cancel = async (...args: string[]): Promise<void> => {
  const answer = await ask('scancel', args);
  if (answer.ok || isGone(answer)) return;
  // A task that ended, or began, between our question and this command is met by the next one.
  if (/not running|already completing|already completed|pending/i.test(answer.stderr)) return;
  throw refused('scancel', args, answer);
};

/** Ends the whole job: SIGTERM, and SIGKILL after the cluster's KillWait. */
export const cancelJob = (job_id: string): Promise<void> => cancel(job_id);

export const cancelPending = (job_id: string): Promise<void> => cancel('--state=PENDING', job_id);

/** Sends a signal to the job script alone of every running task. */
export const signalScripts = (job_id: string, signal: 'USR1' | 'USR2'): Promise<void> =>
  cancel('--state=RUNNING', '--batch', `--signal=${signal}`, job_id);
