import type { LossName } from './index.ts';

/** Numbers in (0, 1) that look random and are the same everywhere: fractional parts of k²·φ, equidistributed (Weyl). */
const spread = (count: number, from: number): number[] =>
  Array.from({ length: count }, (_, index) => ((from + index + 1) ** 2 * 0.6180339887498949) % 1);

const points = (from: number): [number, number][][] => {
  const numbers = spread(24, from);
  const point = (index: number): [number, number] => [numbers[2 * index] ?? 0, numbers[2 * index + 1] ?? 0];
  return [0, 1].map(sample => Array.from({ length: 6 }, (_, keypoint) => point(6 * sample + keypoint)));
};

/** (2, 3, 4) in (−1, 1). */
const latents = (from: number): number[][][] =>
  [0, 1].map(sample => [0, 1, 2].map(row => spread(4, from + 12 * sample + 4 * row).map(value => 2 * value - 1)));

const mask = [
  [1, 1, 0, 1, 1, 1],
  [0, 1, 1, 0, 1, 0],
];
const pred_keypoints_a = points(1);
const pred_keypoints_b = points(101);
const keypoints_a = points(201);
const keypoints_b = points(301);
const noise = latents(1);
const noise_pred = latents(101);
const alphas_cumprod = [0.97, 0.11];
const q = 30.25;
const losses = [0.3, 0.2, 0.25];

/** One fixed input for every term, for comparing TypeScript's value with torch's before training. */
export const probeInputs: Readonly<Record<LossName, Record<string, unknown>>> = {
  normalize_keypoints: { keypoints: keypoints_a, width: 64, height: 48, bias: [0.1, -0.2] },
  control_map: { keypoints: keypoints_a, mask, width: 12, height: 12, bias: [0.1, -0.2], radius: 1, reading: 'square' },
  sampler_step: { latents: latents(201), noise_pred, alphas_cumprod, alphas_cumprod_prev: [1, 0.2], reading: 'ddim' },
  one_step_image: { latents: latents(201), noise, noise_pred, alphas_cumprod, reading: 'x_t' },
  primary_noise: { noise, noise_pred, alphas: [0.99, 0.9], alphas_cumprod, reading: 'w(t)' },
  score_difference: { noise_pred_a: noise_pred, noise_pred_b: latents(301), alphas_cumprod },
  pose_residual: { pred_keypoints_b, pred_keypoints_a, mask, keypoints_a, keypoints_b, reading: 'plain' },
  target_pose: { pred_keypoints_b, keypoints_b, mask },
  q: { odds: [4.5, 2.25, 0.5], reading: 'expectation' },
  per_step: { target_pose: [0.01, 0.02], pose_residual: [0.3, 0.1], q },
  total: { losses, reading: 'mean' },
  delta_l: { keypoints_a, keypoints_b, mask },
  lower_bound_distance: { pred_keypoints_a, keypoints_b, mask },
  lower_bound: { distance: [0.2, 0.1], q },
  pose_bound: { losses, distance: [0.28, 0.19, 0.24], q },
  scene: {
    image_a: [noise],
    image_b: [noise_pred],
    scene_mask: [
      [
        [1, 0, 1, 1],
        [0, 1, 1, 0],
        [1, 1, 1, 1],
      ],
    ],
    alphas_cumprod: 0.4,
  },
};
