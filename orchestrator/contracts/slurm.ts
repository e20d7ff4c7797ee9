import { z } from 'zod';
import { PositiveInt } from './primitives.ts';

/** Options of sbatch that resuming, requeueing or the sections beside them depend on. */
const ownOptions: ReadonlySet<string> = new Set([
  ...['array', 'chdir', 'comment', 'error', 'job-name', 'nodes', 'ntasks', 'ntasks-per-node', 'open-mode', 'output'],
  ...['parsable', 'requeue', 'no-requeue', 'signal', 'test-only', 'wait', 'wrap', 'help', 'usage', 'version'],
  ...['partition', 'account', 'qos', 'time', 'gpus-per-node', 'cpus-per-task', 'mem', 'constraint'],
]);

const OptionName = z
  .string()
  .regex(/^[a-z][a-z0-9-]*$/, 'the long name of an option of sbatch, without its dashes')
  .refine(name => !ownOptions.has(name), 'set elsewhere: by its own key of this section, or by Posetwin');

/** A number as it is, or a text as sbatch spells it. */
const spelt = (pattern: RegExp, words: string) =>
  z
    .union([PositiveInt, z.string().regex(pattern, words)])
    .nullable()
    .default(null);

const Text = z.string().min(1).nullable().default(null);

/** What every job of a sweep asks Slurm for; null leaves it to the cluster's own default. */
export const Slurm = z.strictObject({
  partition: Text,
  account: Text,
  qos: Text,
  constraint: Text.describe('Features that a node must have, as sbatch spells them: `a100|h100`.'),
  time: spelt(/^(\d+|\d+:\d+|\d+:\d+:\d+|\d+-\d+(:\d+){0,2})$/, 'minutes, hh:mm:ss or days-hh:mm:ss').describe(
    'Limit of one start of a trial: a longer training is requeued and goes on from its checkpoint.',
  ),
  gpus_per_node: spelt(/^([A-Za-z0-9_.-]+:)?[1-9]\d*$/, 'a number, or type:number').describe(
    '4, or a100:4. At least as many as ranks.',
  ),
  cpus_per_task: PositiveInt.nullable()
    .default(null)
    .describe('CPU cores of each node; as many as ranks when left out.'),
  mem: spelt(/^\d+[KMGT]?$/, 'megabytes, or a number with K, M, G or T').describe('Main memory of each node: 64G.'),
  setup: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('A file of bash lines that every job begins with: modules, variables of NCCL and the like.'),
  signal_seconds: PositiveInt.max(65535)
    .default(120)
    .describe('How long before the time limit a trial is told to save a checkpoint.'),
  poll_seconds: z.number().min(1).max(3600).default(15).describe('Between two questions to the controller.'),
  options: z
    .record(OptionName, z.union([z.string(), z.number(), z.literal(true)]))
    .default({})
    .describe('Further long options of sbatch: { reservation: mine, exclusive: true }.'),
});
export type Slurm = z.output<typeof Slurm>;
