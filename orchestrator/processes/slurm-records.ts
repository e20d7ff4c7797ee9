/** What `scontrol show job --oneliner` prints, read. Its keys have been the same for a decade; its JSON has not. */

export interface JobRecord {
  /** indices of the array's tasks that this line speaks of: one, all that are pending together, or `rest`, see below */
  tasks: number[] | 'rest';
  /** PENDING, RUNNING, COMPLETED, … */
  state: string;
  exit_code: number;
  /** the signal that ended the job script; 0 for none */
  signal: number;
  /** why it is not running: Resources, Priority, BeginTime, …; None where there is nothing to say */
  reason: string;
}

/** Slurm's "no value". Tasks that are cancelled before they began share a line without their indices. */
const NO_TASK = '4294967294';

/** `0-3`, `1,4-8:2`, `5-9%2` → the indices. */
export const parseTasks = (text: string): number[] =>
  text
    .replace(/%.*/, '')
    .split(',')
    .flatMap(part => {
      const [, first = '', last = first, step = '1'] = /^(\d+)(?:-(\d+))?(?::(\d+))?$/.exec(part) ?? [];
      if (first === '') return [];
      const count = Math.floor((Number(last) - Number(first)) / Number(step)) + 1;
      return Array.from({ length: count }, (_, index) => Number(first) + index * Number(step));
    });

// The first match counts: what a person may have written, the comment or the command, comes later in the line.
const field = (line: string, key: string): string => new RegExp(`(?:^| )${key}=(\\S*)`).exec(line)?.[1] ?? '';

const parseJob = (line: string): JobRecord => {
  const [exit_code = 0, signal = 0] = field(line, 'ExitCode').split(':').map(Number);
  const tasks = field(line, 'ArrayTaskId');
  return {
    tasks: tasks === NO_TASK ? 'rest' : parseTasks(tasks),
    state: field(line, 'JobState'),
    exit_code,
    signal,
    reason: field(line, 'Reason'),
  };
};

export const parseJobs = (text: string): JobRecord[] =>
  text
    .split('\n')
    .filter(line => line.startsWith('JobId='))
    .map(parseJob);

/** What the lines say about one task. */
export const recordOf = (records: readonly JobRecord[], task: number): JobRecord | undefined =>
  records.find(({ tasks }) => tasks !== 'rest' && tasks.includes(task)) ??
  records.find(({ tasks }) => tasks === 'rest');
