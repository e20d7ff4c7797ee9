/** Combinations that the schemas cannot see: each value is fine, together they make no sense. */
import type { Experiment } from '../contracts/experiment.ts';
import { datasetRules } from './dataset-rules.ts';
import { methodRules } from './method-rules.ts';
import { idle, type Refusal, type Rule, refuseIf, usual } from './rules.ts';
import { trainRules } from './train-rules.ts';

export type { Refusal } from './rules.ts';

/** What (`of`, `order`) an arithmetic progression may be; the others give alphas_cumprod = 0 or alphas > 1. */
const progressions = ['alphas ascending', 'alphas descending', 'betas ascending', 'alphas_cumprod descending'];

/** The control maps that the shipped adapters were trained on. */
const shippedStyles: ReadonlyMap<string, 'openpose' | 'dots'> = new Map([
  ['mini', 'openpose'],
  ['mini-dots', 'dots'],
]);

const rules: readonly Rule[] = [
  ...datasetRules,
  {
    reads: ['backbone', 'adapter'],
    check: ({ backbone, adapter }) =>
      refuseIf(
        shippedStyles.has(adapter.path) && backbone.path !== 'mini',
        ['backbone.path', 'adapter.path'],
        `the adapter \`${adapter.path}\` fits the backbone \`mini\` alone`,
        'set `adapter.path` to a folder made for this backbone',
      ),
  },
  {
    reads: ['adapter', 'dataset', 'primary'],
    check: ({ adapter, dataset: { control }, primary }) => {
      const style = shippedStyles.get(adapter.path) ?? control.style;
      return refuseIf(
        style !== control.style && primary?.start !== 'scratch',
        ['adapter.path', 'dataset.control.style'],
        `the adapter \`${adapter.path}\` was trained on control maps of style ${style}, not ${control.style}`,
        style === 'dots' ? '`adapter: mini`' : '`adapter: mini-dots`',
      );
    },
  },
  {
    reads: ['detector', 'judge'],
    check: ({ detector, judge }) =>
      refuseIf(
        JSON.stringify(detector) === JSON.stringify(judge),
        ['judge', 'detector'],
        'the judge is the very net that is in the loss, so its verdict would prove nothing',
        'choose another `judge`',
      ),
  },
  {
    reads: ['schedule'],
    check: ({ schedule }) =>
      schedule.kind !== 'scaled_linear' && schedule.kind !== 'linear'
        ? undefined
        : refuseIf(
            schedule.beta_start >= schedule.beta_end,
            ['schedule.beta_start', 'schedule.beta_end'],
            `beta_start ${schedule.beta_start} must be less than beta_end ${schedule.beta_end}`,
            'noise grows with t',
          ),
  },
  {
    reads: ['schedule'],
    check: ({ schedule }) =>
      !('spacing' in schedule)
        ? undefined
        : refuseIf(
            schedule.num_steps > schedule.num_train_timesteps,
            ['schedule.num_steps', 'schedule.num_train_timesteps'],
            `${schedule.num_steps} steps cannot be spaced over ${schedule.num_train_timesteps} training timesteps`,
            'num_steps must be at most num_train_timesteps',
          ),
  },
  {
    reads: ['schedule'],
    check: ({ schedule }) =>
      schedule.kind !== 'arithmetic'
        ? undefined
        : refuseIf(
            !progressions.includes(`${schedule.of} ${schedule.order}`) || schedule.start >= schedule.end,
            ['schedule.order', 'schedule.of', 'schedule.start', 'schedule.end'],
            `${schedule.of} from ${schedule.start} to ${schedule.end}, ${schedule.order}, is no diffusion`,
            `start < end and one of: ${progressions.join(', ')}`,
          ),
  },
  {
    reads: ['schedule'],
    check: ({ schedule }) =>
      schedule.singular === 'clamp'
        ? undefined
        : idle('schedule.eps', schedule.eps, usual.schedule.eps, 'singular: clamp'),
  },
  ...methodRules,
  ...trainRules,
  {
    reads: ['train', 'convergence'],
    check: ({ train: { max_train_steps }, convergence: { early_stop, min_steps } }) =>
      refuseIf(
        // The default of min_steps says nothing about a short run: such a run just never stops early.
        early_stop && min_steps !== 200 && min_steps > max_train_steps,
        ['convergence.min_steps', 'train.max_train_steps'],
        `training ends after ${max_train_steps} steps, before min_steps ${min_steps}`,
        'fewer `convergence.min_steps`, or `convergence.early_stop: false`',
      ),
  },
];

/** Every refused combination; rules that read a section of `broken` are left out. */
export const refusals = (experiment: Experiment, broken: ReadonlySet<string> = new Set()): Refusal[] =>
  rules
    .filter(({ reads }) => !reads.some(section => broken.has(section)))
    .map(({ check }) => check(experiment))
    .filter(refusal => refusal !== undefined);
