import { z } from 'zod';
import { Fraction, PositiveInt } from './primitives.ts';

/** The named readings of the method; the first of each is the default. `docs/equations.md` says what each means. */
export const Method = z.strictObject({
  q: z
    .union([z.enum(['expectation', 'printed-sum', 'per-step']), z.number().gt(0)])
    .default('expectation')
    .describe('Q of Eq. 37: left side, right side as printed, inside the expectation, or a number.'),
  objective: z
    .enum(['patent', 'score', 'score+pose', 'patent+scene'])
    .default('patent')
    .describe('What is minimised: Eq. 36; Eq. 18; both; Eq. 36 plus our scene term.'),
  scene_weight: z
    .number()
    .min(0)
    .max(100)
    .default(0.2)
    .describe('Weight of the scene term beside L_t / (Q + 1); the pose terms are means over keypoints.'),
  score_weight: z.number().min(0).max(100).default(1).describe('`score+pose`: weight of Eq. 18 beside L_t / (Q + 1).'),
  latents: z
    .strictObject({
      source: z
        .enum(['trajectory', 'noised', 'pure-noise'])
        .default('trajectory')
        .describe('State of a sampling run from the noise; a training image noised at t; the noise itself.'),
      state: z.enum(['own', 'a', 'b']).default('own').describe('Whose state each route uses.'),
    })
    .prefault({}),
  image_at_t: z
    .enum(['one_step', 'state'])
    .default('one_step')
    .describe('Z_t: the image that one step foretells (Eq. 41), or the decoded state after it ([0047]).'),
  one_step: z.enum(['x_t', 'as-printed']).default('x_t').describe('Eq. 41-42 with x_t, or with the noise as printed.'),
  update: z
    .enum(['per-step', 'per-trajectory'])
    .default('per-step')
    .describe('An optimiser step after each visited t, or after the sum of Eq. 43 over all t.'),
  total: z
    .enum(['mean', 'sum'])
    .default('mean')
    .describe('Eq. 36, a mean over t, or Eq. 43, the sum; delta L and L* scale alike.'),
  pose_residual: z
    .enum(['plain', 'absolute', 'squared'])
    .default('plain')
    .describe('Eq. 21, or Eq. 20 with |.| or (.)^2.'),
  target: z
    .enum(['given', 'detected'])
    .default('given')
    .describe('The keypoints of B_0 (and A_0): those that drew it, or those that the detector finds in Z_B (Z_A).'),
  primary_weight: z
    .enum(['w(t)', 'simple'])
    .default('w(t)')
    .describe('Weight of Eq. 12, with which the primary was or is trained: Eq. 13, or 1 as public adapters were.'),
  unet_timestep: z
    .enum(['snr-matched', 'index'])
    .default('snr-matched')
    .describe('The trained timestep with the same alphas_cumprod, or the index of t itself.'),
  sampler: z.enum(['ddim', 'as-printed']).default('ddim').describe('Eq. 9 corrected, or as printed.'),
  guidance_scale: z
    .number()
    .min(1)
    .max(30)
    .default(1)
    .describe('Classifier-free guidance of both routes in training; 1 is none.'),
  normalization_bias: z
    .tuple([z.number().min(-1).max(1), z.number().min(-1).max(1)])
    .default([0, 0])
    .describe('b_c of Eq. 2, as a fraction of the frame.'),
});
export type Method = z.output<typeof Method>;

/** The loss on held-out pairs, at fixed t and with fixed noise: comparable from step to step and between runs. */
export const Validation = z.strictObject({
  steps: z.int().min(0).default(0).describe('A validation every so many steps; 0 is none.'),
  num_pairs: PositiveInt.max(100_000)
    .default(16)
    .describe('Held-out pairs, spread evenly over all of them and shared among the ranks.'),
  num_timesteps: PositiveInt.max(1000).default(3).describe('At so many t, evenly spread over the trainable ones.'),
});
export type Validation = z.output<typeof Validation>;

/** Pictures of held-out prompts and poses, painted by the adapter as it is while it is trained. */
export const Samples = z.strictObject({
  steps: z.int().min(0).default(0).describe('Pictures every so many steps; 0 is never.'),
  num_images: PositiveInt.max(1024).default(4).describe('Of as many held-out pairs, chosen as in validation.'),
  num_inference_steps: PositiveInt.max(1000).default(20),
  guidance_scale: z.number().min(1).max(30).default(3),
});
export type Samples = z.output<typeof Samples>;

/** Training of an adapter. */
export const Train = z.strictObject({
  max_train_steps: PositiveInt.default(1000).describe('Optimiser steps.'),
  global_batch_size: PositiveInt.max(65_536)
    .default(8)
    .describe('Quintuples an optimiser step, over all ranks and accumulation steps.'),
  gradient_accumulation_steps: PositiveInt.max(4096)
    .default(1)
    .describe('A rank works through its share of the batch in so many parts: less memory, the same step.'),
  bank_steps: z
    .int()
    .min(0)
    .default(0)
    .describe('After so many steps the same batches, t and noise come again; route A is computed once. 0: never.'),
  mixed_precision: z
    .enum(['no', 'fp16', 'bf16'])
    .default('no')
    .describe('Of the frozen models and the forward pass; the trained weights stay in float32. fp16 scales the loss.'),
  gradient_checkpointing: z
    .boolean()
    .default(false)
    .describe('U-Net, VAE decoder and detector compute their activations twice instead of keeping them.'),
  channels_last: z.boolean().default(false).describe('Memory layout of the convolutions: often faster on GPUs.'),
  attention: z
    .enum(['sdpa', 'eager', 'sliced'])
    .default('sdpa')
    .describe('scaled_dot_product_attention, plain matrix products, or those one head after the other.'),
  compile: z.boolean().default(false).describe('torch.compile for the U-Net: minutes at the start, faster steps.'),
  cpu_offload: z
    .boolean()
    .default(false)
    .describe('Frozen weights stay in main memory and visit the device layer by layer; needs gradient_checkpointing.'),
  learning_rate: z.number().gt(0).max(1).default(1e-4),
  lr_scheduler: z.enum(['constant', 'cosine', 'cosine_with_restarts', 'linear', 'polynomial']).default('cosine'),
  lr_warmup_steps: z.int().min(0).default(0).describe('Linear warm-up before any of them.'),
  lr_num_cycles: PositiveInt.max(1000).default(1).describe('`cosine_with_restarts`: hard restarts.'),
  lr_power: z.number().gt(0).max(10).default(1).describe('`polynomial`: the exponent.'),
  use_8bit_adam: z.boolean().default(false).describe("AdamW8bit of bitsandbytes: a quarter of AdamW's memory."),
  adam_beta1: z.number().min(0).lt(1).default(0.9),
  adam_beta2: z.number().min(0).lt(1).default(0.999),
  adam_weight_decay: z.number().min(0).default(0.01),
  adam_epsilon: z.number().gt(0).default(1e-8),
  max_grad_norm: z.number().gt(0).default(1),
  ema_decay: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe("Of diffusers' EMAModel, for the weights that are validated and saved; 0 keeps no average."),
  validation: Validation.prefault({}),
  samples: Samples.prefault({}),
  load_best_model_at_end: z
    .boolean()
    .default(false)
    .describe('Save the adapter of the best validation instead of the last one.'),
  metric_for_best_model: z
    .enum(['objective', 'target_pose'])
    .default('objective')
    .describe('What the best validation has the least of.'),
  checkpointing_steps: PositiveInt.default(50).describe('A checkpoint every so many steps.'),
  checkpoints_total_limit: PositiveInt.default(2).describe('Older checkpoints are deleted once a newer one is valid.'),
  nnodes: PositiveInt.max(1024)
    .default(1)
    .describe('Machines that share the training: nodes of the Slurm job that the run is in.'),
  nproc_per_node: PositiveInt.max(64).default(1).describe('Ranks that torchrun starts on each machine.'),
});
export type Train = z.output<typeof Train>;

/** Ranks of a training on all its machines. */
export const ranksOf = ({ nnodes, nproc_per_node }: Pick<Train, 'nnodes' | 'nproc_per_node'>): number =>
  nnodes * nproc_per_node;

/** Training of the primary adapter by Eq. 12, before the secondary. */
export const Primary = z.strictObject({
  start: z
    .enum(['adapter', 'scratch'])
    .default('adapter')
    .describe('Begin with the weights of `adapter`, or with new ones in its architecture.'),
  timestep_sampling: z
    .enum(['uniform', 'cubic'])
    .default('uniform')
    .describe('Which t is drawn: each equally often, or noisy ones more often, where a pose is decided (T2I-Adapter).'),
  proportion_empty_prompts: Fraction.default(0).describe(
    'Share of the samples whose text is left out, so that guidance finds the adapter trained without one too.',
  ),
  train: Train.prefault({}),
});
export type Primary = z.output<typeof Primary>;

/** When TypeScript calls the loss converged, and whether that ends training. */
export const Convergence = z.strictObject({
  decision_steps: PositiveInt.default(50).describe('Workers ask `continue or stop` at every multiple of this.'),
  min_steps: PositiveInt.default(200).describe('Never stop before.'),
  early_stop: z.boolean().default(true).describe('Stop once the loss is on a plateau.'),
  window: PositiveInt.min(20).default(200).describe('Steps that the plateau test looks at.'),
  confidence: z.number().gt(0.5).lt(1).default(0.95),
  tolerance: z
    .number()
    .gt(0)
    .default(0.0004)
    .describe('Relative distance to the theory value that counts as converged; 0.04 % in the paper.'),
});
export type Convergence = z.output<typeof Convergence>;
