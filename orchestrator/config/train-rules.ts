/** Options of a training that cannot be had together, or would have no effect beside others. */
import type { Experiment } from '../contracts/experiment.ts';
import { ranksOf, type Samples, type Train, type Validation } from '../contracts/method.ts';
import { idle, type Refusal, type Rule, refuseIf, usual } from './rules.ts';

type TrainCheck = (section: string, train: Train) => Refusal | undefined;

const sharedBatch: TrainCheck = (section, train) => {
  const { global_batch_size, nnodes, gradient_accumulation_steps } = train;
  const sharers = nnodes === 1 ? ['nproc_per_node'] : ['nnodes', 'nproc_per_node'];
  const parts = gradient_accumulation_steps === 1 ? '' : ` in ${gradient_accumulation_steps} parts each`;
  return refuseIf(
    global_batch_size % (ranksOf(train) * gradient_accumulation_steps) !== 0,
    ['global_batch_size', ...sharers, 'gradient_accumulation_steps'].map(key => `${section}.${key}`),
    `a batch of ${global_batch_size} cannot be shared evenly by ${ranksOf(train)} ranks${parts}`,
    `make global_batch_size a multiple of ${[...sharers, 'gradient_accumulation_steps'].join(' * ')}`,
  );
};

const scheduleOptions: TrainCheck = (section, { lr_scheduler, lr_num_cycles, lr_power }) =>
  (lr_scheduler === 'cosine_with_restarts'
    ? undefined
    : idle(
        `${section}.lr_num_cycles`,
        lr_num_cycles,
        usual.train.lr_num_cycles,
        'lr_scheduler: cosine_with_restarts',
      )) ??
  (lr_scheduler === 'polynomial'
    ? undefined
    : idle(`${section}.lr_power`, lr_power, usual.train.lr_power, 'lr_scheduler: polynomial'));

const warmUp: TrainCheck = (section, { lr_warmup_steps, max_train_steps }) =>
  refuseIf(
    lr_warmup_steps >= max_train_steps,
    [`${section}.lr_warmup_steps`, `${section}.max_train_steps`],
    `${lr_warmup_steps} warm-up steps leave nothing of ${max_train_steps} steps`,
    `fewer \`${section}.lr_warmup_steps\``,
  );

const offloadNeedsCheckpointing: TrainCheck = (section, { cpu_offload, gradient_checkpointing }) =>
  refuseIf(
    cpu_offload && !gradient_checkpointing,
    [`${section}.cpu_offload`, `${section}.gradient_checkpointing`],
    'without gradient checkpointing the way back keeps every weight on the device: offloading would save nothing',
    `set \`${section}.gradient_checkpointing: true\``,
  );

/** The first option of a part that is switched off, where it is not the default. */
const idleOption = <T extends Validation | Samples>(path: string, given: T, byDefault: T): Refusal | undefined =>
  given.steps > 0
    ? undefined
    : (Object.keys(given) as (keyof T & string)[])
        .map(key => idle(`${path}.${key}`, given[key], byDefault[key], `${path}.steps`))
        .find(refusal => refusal !== undefined);

const lookoutOptions: TrainCheck = (section, { validation, samples }) =>
  idleOption(`${section}.validation`, validation, usual.train.validation) ??
  idleOption(`${section}.samples`, samples, usual.train.samples);

const bestNeedsValidation: TrainCheck = (section, { validation, load_best_model_at_end }) =>
  refuseIf(
    load_best_model_at_end && validation.steps === 0,
    [`${section}.load_best_model_at_end`, `${section}.validation.steps`],
    'without a validation no step is the best one',
    `set \`${section}.validation.steps\``,
  );

const metricNeedsValidation: TrainCheck = (section, { validation, metric_for_best_model }) =>
  validation.steps > 0
    ? undefined
    : idle(
        `${section}.metric_for_best_model`,
        metric_for_best_model,
        usual.train.metric_for_best_model,
        `${section}.validation.steps`,
      );

/** Where there is something of route A to keep, and a batch that comes again. */
const bank = ({ train: { bank_steps, max_train_steps }, method: { latents, update } }: Experiment) =>
  bank_steps === 0
    ? undefined
    : (refuseIf(
        latents.source === 'trajectory' && latents.state === 'b',
        ['train.bank_steps', 'method.latents.state'],
        'route A walks along with route B, which changes with every step: there is nothing to keep of it',
        'bank_steps: 0, or another `method.latents.state`',
      ) ??
      refuseIf(
        update === 'per-trajectory',
        ['train.bank_steps', 'method.update'],
        'a bank keeps route A at one t a step',
        'bank_steps: 0, or `method.update: per-step`',
      ) ??
      refuseIf(
        bank_steps >= max_train_steps,
        ['train.bank_steps', 'train.max_train_steps'],
        `training ends after ${max_train_steps} steps, before a batch of ${bank_steps} comes again`,
        'fewer `train.bank_steps`, or 0',
      ));

const primaryHasNoBank: TrainCheck = (section, { bank_steps }) =>
  section === 'train'
    ? undefined
    : idle(`${section}.bank_steps`, bank_steps, usual.train.bank_steps, 'a secondary adapter: `train`');

const primaryHasNoPose: TrainCheck = (section, { metric_for_best_model }) =>
  refuseIf(
    section !== 'train' && metric_for_best_model === 'target_pose',
    [`${section}.metric_for_best_model`],
    'Eq. 12, by which the primary is trained, knows no keypoints',
    'set it to `objective`',
  );

const checks: readonly TrainCheck[] = [
  sharedBatch,
  warmUp,
  scheduleOptions,
  offloadNeedsCheckpointing,
  bestNeedsValidation,
  metricNeedsValidation,
  lookoutOptions,
  primaryHasNoBank,
  primaryHasNoPose,
];

/** Those of `checks` for both trainings alike. */
export const trainRules: readonly Rule[] = [
  ...checks.flatMap((check): Rule[] => [
    { reads: ['train'], check: ({ train }) => check('train', train) },
    { reads: ['primary'], check: ({ primary }) => primary?.train && check('primary.train', primary.train) },
  ]),
  { reads: ['train', 'method'], check: bank },
];
