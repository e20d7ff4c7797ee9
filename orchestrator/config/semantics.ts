/** Combinations that the schemas cannot see: each value is fine, together they make no sense. */
import { Experiment } from '../contracts/experiment.ts';

export interface Refusal {
  /** the values at odds, the likelier culprit first */
  paths: readonly string[];
  message: string;
  hint: string;
}

interface Rule {
  /** sections that it looks at: it is left out when one of them has another error */
  reads: readonly (keyof Experiment)[];
  /** undefined when all is well */
  check: (experiment: Experiment) => Refusal | undefined;
}

const refuseIf = (wrong: boolean, paths: readonly string[], message: string, hint: string): Refusal | undefined =>
  wrong ? { paths, message, hint } : undefined;

/** What every value is when a file says nothing; its name alone is not optional. */
const usual = Experiment.parse({ name: 'defaults' });

/** A value that would have no effect is refused when it is not the default: its writer expects it to do something. */
const idle = (path: string, value: number, byDefault: number, needed: string): Refusal | undefined =>
  refuseIf(value !== byDefault, [path], `\`${path}\` has no effect here`, `it needs \`${needed}\`; or leave it out`);

/** What (`of`, `order`) an arithmetic progression may be; the others give alphas_cumprod = 0 or alphas > 1. */
const progressions = ['alphas ascending', 'alphas descending', 'betas ascending', 'alphas_cumprod descending'];

const orderedPairs = (images: number) => images * (images - 1);

const rules: readonly Rule[] = [
  {
    reads: ['dataset'],
    check: ({ dataset: { num_images, num_pairs } }) =>
      refuseIf(
        num_pairs > orderedPairs(num_images) / 2,
        ['dataset.num_pairs', 'dataset.num_images'],
        `${num_images} images make only ${orderedPairs(num_images) / 2} different pairs, not ${num_pairs}`,
        'fewer `dataset.num_pairs` or more `dataset.num_images`',
      ),
  },
  {
    reads: ['dataset', 'evaluate'],
    check: ({ dataset: { num_held_out }, evaluate: { num_pairs } }) =>
      refuseIf(
        num_pairs > num_held_out,
        ['evaluate.num_pairs', 'dataset.num_held_out'],
        `${num_held_out} held-out images are paired once each, which makes no ${num_pairs} pairs`,
        'fewer `evaluate.num_pairs` or more `dataset.num_held_out`',
      ),
  },
  {
    reads: ['dataset'],
    check: ({ dataset: { pairs, min_distance } }) =>
      pairs === 'far'
        ? undefined
        : idle('dataset.min_distance', min_distance, usual.dataset.min_distance, 'dataset.pairs: far'),
  },
  {
    reads: ['dataset'],
    check: ({ dataset: { control } }) =>
      control.style === 'openpose'
        ? idle('dataset.control.radius', control.radius, usual.dataset.control.radius, 'style: dots')
        : idle('dataset.control.line_width', control.line_width, usual.dataset.control.line_width, 'style: openpose'),
  },
  {
    reads: ['backbone', 'adapter'],
    check: ({ backbone, adapter }) =>
      refuseIf(
        adapter.path === 'mini' && backbone.path !== 'mini',
        ['backbone.path', 'adapter.path'],
        'the adapter `mini` fits the backbone `mini` alone',
        'set `adapter.path` to a folder made for this backbone',
      ),
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
  {
    reads: ['method'],
    check: ({ method }) =>
      method.objective === 'patent+scene'
        ? undefined
        : idle('method.scene_weight', method.scene_weight, usual.method.scene_weight, 'objective: patent+scene'),
  },
  {
    reads: ['method'],
    check: ({ method }) =>
      method.objective === 'score+pose'
        ? undefined
        : idle('method.score_weight', method.score_weight, usual.method.score_weight, 'objective: score+pose'),
  },
  {
    reads: ['train'],
    check: ({ train: { global_batch_size, nproc_per_node } }) =>
      refuseIf(
        global_batch_size % nproc_per_node !== 0,
        ['train.global_batch_size', 'train.nproc_per_node'],
        `a batch of ${global_batch_size} cannot be shared evenly by ${nproc_per_node} ranks`,
        'make global_batch_size a multiple of nproc_per_node',
      ),
  },
  {
    reads: ['train'],
    check: ({ train: { lr_warmup_steps, max_train_steps } }) =>
      refuseIf(
        lr_warmup_steps >= max_train_steps,
        ['train.lr_warmup_steps', 'train.max_train_steps'],
        `${lr_warmup_steps} warm-up steps leave nothing of ${max_train_steps} steps`,
        'fewer `train.lr_warmup_steps`',
      ),
  },
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
