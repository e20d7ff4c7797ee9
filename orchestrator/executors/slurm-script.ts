import type { Slurm } from '../contracts/slurm.ts';
import { PosetwinError } from '../errors.ts';
import type { TrialCommand } from './trials.ts';

/** Trials of one shape share a job array, because its tasks all ask for the same nodes. */
export type Shape = Pick<TrialCommand, 'nnodes' | 'nproc_per_node'>;

export interface ArrayOptions extends Shape {
  /** names the jobs in squeue */
  name: string;
  /** by which the array is found again when nobody could note its id */
  comment: string;
  /** holds what the job script reads and writes */
  folder: string;
  num_trials: number;
  /** trials that run at the same time */
  slots: number;
  slurm: Slurm;
}

const given = (options: Record<string, string | number | true | null>): string[] =>
  Object.entries(options)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => (value === true ? `--${name}` : `--${name}=${value}`));

const checkGpus = ({ nproc_per_node, slurm: { gpus_per_node } }: ArrayOptions): void => {
  if (gpus_per_node === null || Number(String(gpus_per_node).split(':').at(-1)) >= nproc_per_node) return;
  throw new PosetwinError(
    'refused_combination',
    `${nproc_per_node} ranks on each node cannot share ${gpus_per_node} GPUs`,
    { path: 'slurm.gpus_per_node', hint: `slurm.gpus_per_node: ${nproc_per_node}, or fewer train.nproc_per_node` },
  );
};

/** The arguments of sbatch for one job array. Raises `refused_combination`. */
export const sbatchOptions = (options: ArrayOptions): string[] => {
  checkGpus(options);
  const { name, comment, folder, num_trials, slots, nnodes, nproc_per_node, slurm } = options;
  const { partition, account, qos, constraint, time, gpus_per_node, cpus_per_task, mem } = slurm;
  return given({
    'job-name': name,
    comment,
    array: `0-${num_trials - 1}%${slots}`,
    nodes: nnodes,
    'ntasks-per-node': 1,
    output: `${folder.replaceAll('%', '%%')}/slurm-%a.out`,
    'open-mode': 'append',
    requeue: true,
    signal: `B:USR1@${slurm.signal_seconds}`,
    partition,
    account,
    qos,
    constraint,
    time,
    'gpus-per-node': gpus_per_node,
    'cpus-per-task': cpus_per_task ?? (nproc_per_node > 1 ? nproc_per_node : null),
    mem,
    ...slurm.options,
  });
};

/** A word of bash that is `text` to the letter. */
export const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** Node's program that prints the log and the arguments of one trial, each ended by NUL, which no argument can hold. */
const reader =
  'const [file, task] = process.argv.slice(1); const { log, args } = JSON.parse(require("fs").readFileSync(file))[task];' +
  ' process.stdout.write([log, ...args].map(word => word + "\\0").join(""))';

/**
 * The job script of an array in `folder`: runs the trial of its index and leaves its exit code in `exits/<index>`, last
 * and whole. SIGUSR1 (the time limit is near, or the job is preempted): checkpoint, requeue. SIGUSR2: checkpoint, end.
 */
export const jobScript = ({ folder, node }: { folder: string; node: string }): string => `#!/usr/bin/env bash
set -u
folder=${quote(folder)}
node=${quote(node)}
[ -x "$node" ] || node=node
task=$SLURM_ARRAY_TASK_ID
exit_file="$folder/exits/$task"
rm -f "$exit_file"
asked= trial=

finish() {
  printf '%s\\n' "$1" > "$exit_file.tmp" && mv -f "$exit_file.tmp" "$exit_file"
  exit "$1"
}

# Once alone: a second SIGTERM would end the trial without its checkpoint.
ask() {
  [ -z "$asked" ] || return 0
  asked=$1
  [ -z "$trial" ] || kill -TERM "$trial" 2>/dev/null
}
trap 'ask requeue' USR1
trap 'ask end' USR2
# scancel sends SIGTERM to every process of the job, the trial included.
trap 'asked=\${asked:-end}' TERM

set +u
[ ! -f "$folder/setup.sh" ] || . "$folder/setup.sh"
set -u

mapfile -d '' -t words < <("$node" -e ${quote(reader)} "$folder/trials.json" "$task")
[ "\${#words[@]}" -gt 1 ] || { echo "no trial $task in $folder/trials.json" >&2; finish 3; }
[ -z "$asked" ] || finish 130

"$node" "\${words[@]:1}" >> "\${words[0]}" 2>&1 &
trial=$!
[ -z "$asked" ] || kill -TERM "$trial" 2>/dev/null

# A trap ends \`wait\` early.
while :; do
  wait "$trial"
  code=$?
  kill -0 "$trial" 2>/dev/null || break
done

# 143: the signal came before the trial could listen.
[ -z "$asked" ] || [ "$code" != 143 ] || code=130
if [ "$asked" = requeue ] && [ "$code" = 130 ]; then
  trap '' TERM
  scontrol requeue "\${SLURM_ARRAY_JOB_ID}_$task" && exit 130
fi
finish "$code"
`;
