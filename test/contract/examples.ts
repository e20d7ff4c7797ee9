/** One valid example of each contract that crosses to or from Python, made by the zod schemas themselves. */
import type { z } from 'zod';
import { AssembleResult, Item, Manifest, Pair, Rejected } from '../../orchestrator/contracts/assembled.ts';
import { Decision, type Visit, WorkerEvent } from '../../orchestrator/contracts/events.ts';
import { Experiment } from '../../orchestrator/contracts/experiment.ts';
import { Job } from '../../orchestrator/contracts/job.ts';
import {
  AuditResult,
  BaselineResult,
  CacheResult,
  EvaluateResult,
  FeaturesResult,
  FigureResult,
  TrainResult,
} from '../../orchestrator/contracts/results.ts';

const experiment = Experiment.parse({
  name: 'example',
  schedule: { kind: 'list', values: [0.9, 0.8] },
  detector: { kind: 'blazepose' },
  dataset: {
    sources: [
      { kind: 'mini' },
      { kind: 'folder', path: '/photos', weight: 2 },
      { kind: 'poses', path: '/p.npz' },
      { kind: 'coco', path: '/images', annotations: '/people.json' },
    ],
    resize: { kind: 'factor' },
    captioner: { path: '/vit-gpt2' },
  },
  method: { q: 2007, normalization_bias: [0, 0.5], update: 'per-trajectory' },
  primary: { start: 'scratch', train: { max_train_steps: 9 } },
});
const { seed, backbone, adapter, detector, judge, dataset, method, primary, train, convergence } = experiment;
const { audit, evaluate, figures } = experiment;

const keypoints = Array.from({ length: 18 }, (_, i) => [i, 2.5 * i, i % 3]);
const shard = { name: 'shards/000000.tar', num_samples: 3, bytes: 10240, sha256: 'ab' };
const judged = {
  image: 'a.png',
  keypoints,
  keypoint_error_px: 1.5,
  in_loss_error_px: 1,
  pck: 1,
  detected: true,
  scene_drift: null,
  scene_ssim: null,
  attributes: { shirt: true },
};
const schedule = {
  alphas: [0.9, 0.8],
  alphas_cumprod: [0.9, 0.72],
  log_alphas_cumprod: [-0.1, -0.3],
  timesteps: [99.5, 199],
  trainable: [true, false],
  q: [30, null],
};
const terms = {
  target_pose: 0.1,
  pose_residual: 0.2,
  score_difference: null,
  scene: 0,
  delta_l: 1,
  lower_bound_distance: 2,
};
const visits: Visit[] = [
  { t: 2, terms, loss: 1, confidence: 0.5 },
  { t: 1, terms, loss: null, confidence: null },
];
const learning = { seed, backbone, adapter, detector, schedule, method };

const job = (stage: string, inputs: Record<string, string>, spec: unknown) =>
  Job.parse({
    stage,
    key: '0123456789abcdef',
    output_dir: '/out',
    device: 'auto',
    num_threads: 1,
    num_workers: 2,
    rank_timeout_s: 60.5,
    wandb: { project: 'p', entity: null, mode: 'offline' },
    inputs,
    spec,
  });
const event = (type: string, fields: object) => WorkerEvent.parse({ type, time: 1.5, ...fields });
const parse = <S extends z.ZodType>(schema: S, value: z.input<S>): z.output<S> => schema.parse(value);

const baselinePair = { a: 0, b: 1, prompt: 'p', pose: 'q', image_a: 'a.png', text_only: judged, primary: judged };

/** [name of the Python type, a value that zod has put out] */
export const examples: [string, unknown][] = [
  ['Job', job('index', {}, { sources: dataset.sources })],
  ['Job', job('assemble', { items: '/items.jsonl', index: '/index', part: '2/8' }, { seed, dataset })],
  ['Job', job('cache', { assemble: '/a' }, { backbone })],
  [
    'Job',
    job(
      'primary',
      { assemble: '/a', cache: '/c', primary: 'mini' },
      { seed, backbone, adapter, schedule, method, primary },
    ),
  ],
  ['Job', job('features', { assemble: '/a', primary: '/p' }, { adapter })],
  [
    'Job',
    job(
      'train',
      { assemble: '/a', cache: '/c', features: '/f', primary: '/p', decisions: '/d' },
      { ...learning, train, convergence },
    ),
  ],
  [
    'Job',
    job(
      'audit',
      { assemble: '/a', cache: '/c', features: '/f', primary: '/p', train: '/t' },
      { ...learning, audit, detection_threshold: 0.3 },
    ),
  ],
  ['Job', job('baseline', { assemble: '/a', primary: '/p' }, { seed, backbone, adapter, detector, judge, evaluate })],
  [
    'Job',
    job(
      'evaluate',
      { assemble: '/a', baseline: '/b', train: '/t' },
      { seed, backbone, adapter, detector, judge, evaluate },
    ),
  ],
  [
    'Job',
    job('figures', { primary: '/p', train: '/t' }, { backbone, adapter, detector, judge, dataset, evaluate, figures }),
  ],
  [
    'Job',
    job(
      'sample',
      { primary: 'mini', train: '/t' },
      { backbone, adapter, detector, judge, dataset, evaluate, prompt: 'p', pose: 'p', seed, num_images: 2 },
    ),
  ],
  ['Schedule', experiment.schedule],
  ['Item', Item.parse({ kind: 'mini', id: 0, split: 'train', seed: 1, pose: 'bowing' })],
  ['Item', Item.parse({ kind: 'picture', id: 1, split: 'held_out', source: 1, row: 7, describe: true })],
  ['Item', Item.parse({ kind: 'poses', id: 2, split: 'train', path: '/p.npz', layout: 'auto', row: 0, seed: 1 })],
  ['Rejected', parse(Rejected, { id: 3, source: '/a.jpg', code: 'no_person', reason: 'nobody there' })],
  ['Rejected', parse(Rejected, { id: null, source: '/b.jpg', code: 'bad_name', reason: 'no UTF-8' })],
  ['AssembleResult', parse(AssembleResult, { num_rejected: { no_person: 1 }, shards: [shard], warnings: ['w'] })],
  ['Pair', parse(Pair, { a: 0, b: 1, prompt: 'p', split: 'train' })],
  [
    'Manifest',
    parse(Manifest, {
      schema_version: 2,
      seed: 0,
      image_size: 64,
      num_samples: { train: 3, held_out: 2 },
      num_rejected: { no_person: 1, duplicate: 2 },
      num_pairs: { train: 3, held_out: 2 },
      train_pairs: 'listed',
      captions: 'captioned-only',
      captioned: [0, 4],
      closed_under_swap: true,
      poses: { train: ['bowing'], held_out: [] },
      mean_pose_distance: 0.2,
      sources: [{ kind: 'mini', path: null, hash: 'abc', licence: 'drawn' }],
      shards: [shard],
      warnings: [],
    }),
  ],
  ['WorkerEvent', event('started', { stage: 'train', world_size: 1, pid: 7, device: 'cpu', resumed_from: 0 })],
  [
    'WorkerEvent',
    event('step', { step: 1, visits, objective: null, grad_norm: 1, learning_rate: 1e-4, duration_ms: 3 }),
  ],
  [
    'WorkerEvent',
    event('primary_step', {
      step: 1,
      t: 50,
      primary_noise: 0.2,
      grad_norm: null,
      learning_rate: 1e-4,
      duration_ms: 3,
    }),
  ],
  [
    'WorkerEvent',
    event('gradient_gate', { term: 'scene', t: 2, gradient: 0.5, finite_difference: null, verdict: 'not_finite' }),
  ],
  ['WorkerEvent', event('gradients', { step: 0, t: 2, noise_norm: 0.5, pose_norm: 0, cosine: null })],
  [
    'WorkerEvent',
    event('validation', {
      step: 5,
      num_pairs: 3,
      objective: 0.5,
      terms: { target_pose: 0.1, scene: null },
      best: true,
    }),
  ],
  ['WorkerEvent', event('samples', { step: 5, path: '/s' })],
  ['WorkerEvent', event('loss_scale', { step: 5, loss_scale: 32768, skipped: true })],
  ['WorkerEvent', event('smoke', { num_samples: [2, 3], duration_ms: 9.5, peak_memory_bytes: null })],
  ['WorkerEvent', event('error', { code: 'diverged', message: 'm', hint: null, traceback: '', rank: 0 })],
  ['WorkerEvent', event('finished', { status: 'stopped', seconds: 2 })],
  ['Decision', parse(Decision, { step: 50, decision: 'continue', reason: 'no plateau' })],
  ['BaselineResult', BaselineResult.parse({ image_size: 64, pairs: [baselinePair] })],
  ['EvaluateResult', EvaluateResult.parse({ image_size: 64, pairs: [{ ...baselinePair, secondary: judged }] })],
  [
    'FigureResult',
    FigureResult.parse({
      prompt: 'p',
      pose: 'q',
      image_size: 64,
      control: 'c.png',
      target: keypoints,
      text_only: judged,
      primary: judged,
      secondary: null,
    }),
  ],
  [
    'TrainResult',
    parse(TrainResult, {
      steps: 240,
      stopped_early: false,
      refused: false,
      best_step: null,
      adapter: 'adapter',
      adapter_sha256: 'ab',
      num_trained_parameters: 9,
      device: 'cpu',
    }),
  ],
  [
    'CacheResult',
    parse(CacheResult, {
      num_latents: 3,
      latent_shape: [4, 16, 16],
      prompt_embeds_shape: [77, 64],
    }),
  ],
  ['FeaturesResult', parse(FeaturesResult, { feature_shapes: [[64, 16, 16]] })],
  [
    'AuditResult',
    parse(AuditResult, {
      num_pairs: 32,
      per_t: [
        {
          t: 1,
          noise_error_a: 0.1,
          noise_error_b: null,
          inner_product: -0.2,
          noised_target_pose: 0.3,
          target_pose: 0.4,
          score_difference: 0.5,
          detection_rate_a: 1,
          detection_rate_b: 0.75,
        },
      ],
      detector: { num_images: 12, squared_error: null, detection_rate: 0.5 },
    }),
  ],
];
