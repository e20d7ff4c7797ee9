import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StepEvent } from '../../../orchestrator/contracts/events.ts';
import { Experiment } from '../../../orchestrator/contracts/experiment.ts';
import type { EvaluateResult, FigureResult, JudgedImage } from '../../../orchestrator/contracts/results.ts';
import type { ReportData } from '../../../orchestrator/report/data.ts';
import { svgToPng } from '../../../orchestrator/report/raster.ts';
import { summarizeEvaluation } from '../../../orchestrator/report/summary.ts';
import { auditPoints, gradients, judged as judgedLoss, measured, validations } from './audit-fixture.ts';

const size = 64;

/** A figure with its left hand up, in OpenPose-18 order, 64 px. */
export const target: FigureResult['target'] = [
  [32, 14, 2],
  [32, 22, 2],
  [26, 22, 2],
  [23, 30, 2],
  [22, 38, 2],
  [38, 22, 2],
  [45, 19, 2],
  [48, 10, 2],
  [28, 38, 2],
  [28, 47, 2],
  [27, 56, 2],
  [36, 38, 2],
  [36, 47, 2],
  [37, 56, 2],
  [30, 12, 2],
  [34, 12, 2],
  [28, 13, 2],
  [36, 13, 2],
];

const picture = (background: string, shirt: string): Buffer =>
  svgToPng(`<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}">
<rect width="64" height="64" fill="${background}"/><rect y="48" width="64" height="16" fill="#6b8f4e"/>
<g stroke="#333" stroke-width="5" stroke-linecap="round"><path d="M28 38L28 56M36 38L36 56" /><path d="M26 23L22 38M38 23L45 19L48 10" stroke="${shirt}"/></g>
<rect x="25" y="20" width="14" height="19" rx="4" fill="${shirt}"/><circle cx="32" cy="13" r="6" fill="#e8b98f"/></svg>`);

const shifted = (by: number): FigureResult['target'] => target.map(([x, y]) => [x + by, y + by / 2, 0.9]);

/** A judged picture whose error is `error` px; half a pixel less for the detector in the loss. */
export const judged = (error: number, drift: number | null, detected = true, image = 'picture.png'): JudgedImage => ({
  image,
  keypoints: shifted(error),
  keypoint_error_px: error,
  in_loss_error_px: error - 0.5,
  pck: error < 6 ? 1 : 0.5,
  detected,
  scene_drift: drift,
  scene_ssim: drift === null ? null : 1 - drift,
  attributes: { shirt: true, scene: detected },
});

const poses = ['waving her left hand', 'tree pose', 'cover drive'];

/** Pairs with the given errors of the primary and the secondary, px. */
export const evaluation = (primary: readonly number[], secondary: readonly number[], drift = 0.05): EvaluateResult => ({
  image_size: size,
  pairs: primary.map((error, index) => ({
    a: index,
    b: (index + 1) % primary.length,
    prompt: `a girl in a red shirt, number ${index}`,
    pose: poses[index % poses.length] ?? '',
    image_a: 'picture.png',
    text_only: judged(12 + (index % 5), null, index % 3 > 0, 'grey.png'),
    primary: judged(error, 0.04 + 0.001 * (index % 3)),
    secondary: judged(secondary[index] ?? 0, drift + 0.001 * (index % 4), true, 'green.png'),
  })),
});

export const figure: FigureResult = {
  prompt: 'a girl, waving her left hand',
  pose: 'waving her left hand',
  image_size: size,
  control: 'control.png',
  target,
  text_only: judged(14.2, null, false, 'grey.png'),
  primary: judged(3.4, 0.1),
  secondary: judged(1.6, 0.1, true, 'green.png'),
};

const stepAt = (number: number): StepEvent => {
  const noise = 1 + 0.5 * Math.sin(number * 12.9898);
  const decay = 0.004 + 0.05 * Math.exp(-number / 60);
  return {
    type: 'step',
    time: 1_700_000_000 + number,
    step: number,
    visits: [
      {
        t: ((number * 17) % 50) + 1,
        terms: {
          target_pose: (decay * noise) / 30,
          pose_residual: 0.01 * noise,
          score_difference: 0.3 * noise,
          scene: number % 7 === 0 ? null : 0.08 * noise,
          delta_l: 0.012,
          lower_bound_distance: 0.011,
        },
        loss: decay * noise + 0.01,
        confidence: 0.8,
      },
    ],
    objective: 0.001,
    grad_norm: 0.2,
    learning_rate: 1e-4,
    duration_ms: 480,
  };
};

const alphas_cumprod = Array.from({ length: 50 }, (_, index) => Math.cos(((index + 1) / 51) * (Math.PI / 2)) ** 2);
const weights = alphas_cumprod.map((_, index) => 1 / (index + 1));
const weightSum = weights.reduce((sum, weight) => sum + weight, 0);

const limbs =
  '<path d="M32 22L26 22L23 30L22 38M32 22L38 22L45 19L48 10M32 22L28 38L28 56M32 22L36 38L36 56M32 22L32 14" fill="none" stroke="#f80" stroke-width="3"/>';
const controlMap = svgToPng(
  `<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><rect width="64" height="64"/>${limbs}</svg>`,
);

const writePictures = (): string => {
  const dir = mkdtempSync(join(tmpdir(), 'posetwin-report-'));
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
  writeFileSync(join(dir, 'picture.png'), picture('#a9cdf0', '#c03030'));
  writeFileSync(join(dir, 'green.png'), picture('#a9cdf0', '#2e8b57'));
  writeFileSync(join(dir, 'grey.png'), picture('#d8d0c0', '#7a7a90'));
  writeFileSync(join(dir, 'control.png'), controlMap);
  return dir;
};

const samples = (amount: number): ReportData['samples'] =>
  Array.from({ length: amount }, (_, id) => ({
    id,
    split: id % 2 === 0 ? 'train' : 'held_out',
    source: 'mini',
    class: poses[id % poses.length] ?? '',
    image: { shard: 'shards/000000.tar', offset: 512, length: 100 },
    control: { shard: 'shards/000000.tar', offset: 1536, length: 100 },
    png: { image: picture('#a9cdf0', '#c03030'), control: controlMap },
    caption: `a girl in a red shirt, ${poses[id % poses.length]}`,
    pose: poses[id % poses.length] ?? '',
    keypoints: target,
    attributes: { shirt: 'red' },
  }));

const primaryErrors = Array.from({ length: 24 }, (_, index) => 3 + (index % 6) * 0.5);

const steps = Array.from({ length: 300 }, (_, index) => stepAt(index + 1));
const found = judgedLoss(steps, 30.4);

const dir = writePictures();

/** A complete, small report; `changes` replaces parts of it. */
export const reportData = (changes: Partial<ReportData> = {}): ReportData => {
  const evaluate =
    changes.evaluate ??
    evaluation(
      primaryErrors,
      primaryErrors.map((error, index) => error * 0.6 + (index % 2) * 0.2),
    );
  return {
    run_id: '1a2b3c4d',
    finished: '2024-05-06T07:08:09.000Z',
    experiment: Experiment.parse({ name: 'sample', description: 'A small report with made-up numbers.' }),
    origins: { name: 'sample.yaml:1', 'method.objective': 'default' },
    stages: [
      { name: 'assemble', key: '0123456789abcdef', cached: true, seconds: 20.5 },
      { name: 'train', key: 'fedcba9876543210', cached: false, seconds: 260 },
    ],
    schedule: {
      alphas: alphas_cumprod.map((value, index) => value / (alphas_cumprod[index - 1] ?? 1)),
      alphas_cumprod,
      log_alphas_cumprod: alphas_cumprod.map(Math.log),
      timesteps: alphas_cumprod.map((_, index) => index * 20),
      trainable: alphas_cumprod.map(() => true),
      q: alphas_cumprod.map(() => 30),
    },
    q_shares: weights.map(weight => weight / weightSum),
    steps,
    validations,
    gradients,
    measured,
    verdict: {
      refused: false,
      on_plateau: true,
      converged: false,
      tolerance: 0.0004,
      steps: 300,
      achieved: { mean: 0.0142, low: 0.0139, high: 0.0146 },
      q: 30.4,
      delta_l: 0.012,
      lower_bound: 0.0107,
      error_to_delta_l: 0.1833,
      error_to_lower_bound: 0.327,
      pose_bound: 0.064,
      at_q: found.at_q,
      audit: auditPoints(steps, found),
    },
    evaluate,
    summary: summarizeEvaluation(evaluate),
    figure,
    manifest: {
      schema_version: 2,
      seed: 0,
      image_size: size,
      num_samples: { train: 13, held_out: 12 },
      num_rejected: { no_person: 1 },
      num_pairs: { train: 40, held_out: 24 },
      train_pairs: 'listed',
      captions: 'both',
      captioned: null,
      closed_under_swap: true,
      poses: { train: ['tree pose', 'cover drive'], held_out: ['waving her left hand'] },
      mean_pose_distance: 0.121,
      sources: [{ kind: 'mini', path: null, hash: 'a1', licence: 'Apache-2.0' }],
      shards: [{ name: 'shards/000000.tar', num_samples: 25, bytes: 51_200, sha256: 'b2' }],
      warnings: [],
    },
    samples: samples(25),
    rejected: [{ id: 99, source: 'photos/sea.jpg', code: 'no_person', reason: 'no person was found' }],
    provenance: { git: { commit: 'abc', dirty: false }, node: 'v20.19.0', packages: { torch: '2.6.0' } },
    warnings: [{ code: 'clamped_timesteps', message: '3 timesteps lie outside the trained range' }],
    folders: { evaluate: dir, figures: dir },
    ...changes,
  };
};
