import { z } from 'zod';
import { facadeContract, MemoryEstimate } from '../contracts/facade.ts';
import { ranksOf, type Train } from '../contracts/method.ts';
import { PosetwinError } from '../errors.ts';
import type { RunContext } from './context.ts';
import { findRemedies } from './memory-remedies.ts';
import type { PythonBridge } from './services.ts';

const Environment = facadeContract.probe_environment.result;
type Environment = z.output<typeof Environment>;
const Device = Environment.shape.devices.element;
type Device = z.output<typeof Device>;
type Question = z.input<(typeof facadeContract)['estimate_memory']['params']>;
type Answer = z.output<(typeof facadeContract)['estimate_memory']['result']>;
type Flops = z.output<(typeof facadeContract)['count_flops']['result']>;

/** What the preflight found out about the memory of one training; kept in preflight.json. All sizes in MiB. */
export const MemoryCheck = z.strictObject({
  stage: z.enum(['primary', 'train']),
  batch_size: z.int().describe('Samples that a rank works on at once.'),
  ranks: z.int(),
  device: Device.nullable(),
  needed_mb: z.number().nullable().describe('By all ranks that share the memory of the device.'),
  reason: z.string().describe('Why nothing is known, or nothing could be compared; else empty.'),
  estimate: MemoryEstimate.nullable(),
});
export type MemoryCheck = z.output<typeof MemoryCheck>;

/** A training of the experiment, and the path of its settings. */
export interface PlannedTraining {
  stage: 'primary' | 'train';
  section: 'primary.train' | 'train';
  settings: Train;
  /** all that the question depends on beside settings and batch size */
  models: Omit<Question, 'train' | 'batch_size' | 'ranks'>;
}

/** From this share of the memory on, what is not counted (workspaces, fragments) may be too much. */
const tight = 0.85;
/** Of one question: a model of billions of parameters on a busy machine. */
const timeout_ms = 600_000;

/** The trainings of the experiment, the primary's first. */
export const plannedTrainings = ({ experiment, plan }: Pick<RunContext, 'experiment' | 'plan'>): PlannedTraining[] => {
  const { backbone, adapter, detector, dataset, train } = experiment;
  const models = { backbone: backbone.path, adapter: adapter.path, detector, image_size: dataset.image_size };
  const specOf = { primary: plan.stages.primary?.spec, train: plan.stages.train.spec };
  const planned = (stage: 'primary' | 'train', settings: Train): PlannedTraining[] => {
    const spec = specOf[stage];
    if (spec === undefined) return [];
    const { schedule, method } = spec;
    const section = stage === 'train' ? 'train' : 'primary.train';
    return [{ stage, section, settings, models: { stage, ...models, schedule, method } }];
  };
  return [
    ...(experiment.primary === null ? [] : planned('primary', experiment.primary.train)),
    ...planned('train', train),
  ];
};

/** Samples that a rank works on at once. */
export const partOf = (train: Train): number =>
  Math.ceil(train.global_batch_size / (ranksOf(train) * train.gradient_accumulation_steps));

/** Asks Python; `batch_size` is that of `settings` unless another is given. */
export const askMemory = (
  bridge: PythonBridge,
  { models }: Pick<PlannedTraining, 'models'>,
  settings: Train,
  batch_size = partOf(settings),
): Promise<Answer> => {
  const question = { ...models, train: settings, batch_size, ranks: ranksOf(settings) };
  return bridge.call('estimate_memory', question, { timeout_ms });
};

/** Asks Python for the operations of a step with one sample; they grow in proportion. */
export const askFlops = (bridge: PythonBridge, { models, settings }: PlannedTraining): Promise<Flops> =>
  bridge.call('count_flops', { ...models, train: settings, batch_size: 1, ranks: 1 }, { timeout_ms });

/** The most that one rank needs at once, its process aside. */
export const peakOf = ({ peaks_mb }: MemoryEstimate): number => Math.max(...Object.values(peaks_mb));

/** A GPU belongs to one rank; the memory of the machine is shared, and the libraries of every rank lie there too. */
const neededOf = ({ estimate, process_mb }: Answer, { nproc_per_node }: Train, device: Device | undefined) => {
  if (estimate === null) return null;
  return device?.kind === 'cuda' ? peakOf(estimate) : nproc_per_node * (peakOf(estimate) + process_mb);
};

const chosenDevice = ({ device }: RunContext['experiment'], { devices }: Environment): Device | undefined =>
  device === 'auto' ? devices[0] : devices.find(({ kind }) => kind === device);

const reasonOf = ({ reason }: Answer, device: Device | undefined): string => {
  if (reason !== '') return reason;
  if (device === undefined) return 'this machine has no such device';
  return device.memory_mb > 0 ? '' : `the memory of ${device.name} is unknown`;
};

/** What every training that is still to do needs, and of what. Raises `missing_weights`, `wrong_weights`, `out_of_range`. */
export const estimateMemory = async (
  bridge: PythonBridge,
  context: RunContext,
  environment: Environment,
): Promise<MemoryCheck[]> => {
  const device = chosenDevice(context.experiment, environment);
  const checks: MemoryCheck[] = [];
  for (const training of plannedTrainings(context)) {
    const { stage, settings } = training;
    const planned = context.plan.stages[stage];
    if (planned !== null && context.store.state(planned) === 'done') continue;
    const answer = await askMemory(bridge, training, settings);
    checks.push({
      stage,
      batch_size: partOf(settings),
      ranks: ranksOf(settings),
      device: device ?? null,
      needed_mb: neededOf(answer, settings, device),
      reason: reasonOf(answer, device),
      estimate: answer.estimate,
    });
  }
  return checks;
};

const gigabytes = (mb: number): string => `${((mb * 2 ** 20) / 1e9).toFixed(1)} GB`;

/** The share of the device's memory that is needed; undefined where nothing could be compared. */
const shareOf = ({ needed_mb, device, reason }: MemoryCheck): number | undefined =>
  reason !== '' || needed_mb === null || device === null ? undefined : needed_mb / device.memory_mb;

/** One line for people. */
export const describeMemory = (check: MemoryCheck): string => {
  const { stage, batch_size, ranks, device, needed_mb, reason } = check;
  const needs = needed_mb === null ? '' : `${stage} needs ${gigabytes(needed_mb)}`;
  if (reason !== '') return needs === '' ? `no estimate for ${stage}: ${reason}` : `${needs}; ${reason}`;
  const each = `${batch_size} samples at once${ranks > 1 ? ` on each of ${ranks} ranks` : ''}`;
  return `${needs} of the ${gigabytes(device?.memory_mb ?? 0)} of ${device?.kind} (${each})`;
};

/** What will fit, but only just, or cannot be told at all; for the log and the report. */
export const memoryWarnings = (checks: readonly MemoryCheck[]): { code: string; message: string }[] =>
  checks.flatMap(check => {
    const share = shareOf(check);
    if (check.estimate === null) return [{ code: 'memory_unknown', message: describeMemory(check) }];
    if (share === undefined || share <= tight || share > 1) return [];
    return [{ code: 'memory_tight', message: `${describeMemory(check)}: little is left for what is not counted` }];
  });

/**
 * Ends what cannot fit before it begins, with the settings under which it would: `out_of_memory`. What a training holds
 * in tensors alone is compared, so that nothing is refused that could run.
 */
export const refuseWhatCannotFit = async (
  bridge: PythonBridge,
  context: RunContext,
  checks: readonly MemoryCheck[],
): Promise<void> => {
  const trainings = plannedTrainings(context);
  for (const check of checks) {
    const training = trainings.find(({ stage }) => stage === check.stage);
    const { device, needed_mb } = check;
    if (training === undefined || device === null || needed_mb === null || (shareOf(check) ?? 0) <= 1) continue;
    context.emit({ type: 'note', message: `memory: ${describeMemory(check)}; looking for settings that fit` });
    const need = async (settings: Train, batch_size: number): Promise<number> => {
      const answer = await askMemory(bridge, training, settings, batch_size);
      return neededOf(answer, settings, device) ?? Number.POSITIVE_INFINITY;
    };
    const remedies = await findRemedies({ ...training, needed_mb, device, need });
    throw new PosetwinError('out_of_memory', describeMemory(check), {
      path: `${training.section}.global_batch_size`,
      hint: remedies.length === 0 ? nothingFits(check) : `any of these would fit: ${remedies.join('; ')}`,
    });
  }
};

const nothingFits = ({ estimate }: MemoryCheck): string => {
  const sizes = Object.values({ ...estimate?.frozen_mb });
  const frozen = gigabytes(sizes.reduce((sum, size) => sum + size, 0));
  return `no setting would: the frozen models alone hold ${frozen}; use a device with more memory`;
};
