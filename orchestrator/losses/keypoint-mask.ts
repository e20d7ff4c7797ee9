import { PosetwinError } from '../errors.ts';
import { type Mask, mean, type Points, perSample } from './inputs.ts';

/**
 * 1 where a keypoint is present (visibility above 0) in both given annotations, (B, N). Never by a detector's confidence
 * on generated images: that would pay the model for hiding joints. Throws `no_visible_keypoint`.
 */
export const keypointMask = (visibility_a: number[][], visibility_b: number[][]): Mask => {
  const mask = perSample(visibility_a, visibility_b, (a, b) =>
    perSample(a, b, (first, second): 0 | 1 => (first > 0 && second > 0 ? 1 : 0)),
  );
  mask.forEach(requireVisible);
  return mask;
};

const requireVisible = (mask: (0 | 1)[], index: number): void => {
  if (mask.includes(1)) return;
  throw new PosetwinError('no_visible_keypoint', `sample ${index} has no keypoint that is given in both A and B`, {
    hint: 'leave such pairs out of the set',
  });
};

/**
 * Mean over visible keypoints of ‖first_i − second_i‖², one number per sample. The patent sums over keypoints; a mean
 * does not depend on how many show. Throws `no_visible_keypoint`, `bad_keypoints`.
 */
export const squaredDistance = (first: Points, second: Points, mask: Mask): number[] =>
  perSample(perSample(first, second, distances), mask, (squares, shown, index) => {
    if (squares.length !== shown.length) throw badKeypoints(squares.length, shown.length);
    requireVisible(shown, index);
    return mean(squares.filter((_, keypoint) => shown[keypoint] === 1));
  });

const distances = (first: [number, number][], second: [number, number][]): number[] => {
  if (first.length !== second.length) throw badKeypoints(first.length, second.length);
  return perSample(first, second, (p, q) => (p[0] - q[0]) ** 2 + (p[1] - q[1]) ** 2);
};

export const badKeypoints = (first: number, second: number): PosetwinError =>
  new PosetwinError('bad_keypoints', `${first} keypoints stand against ${second}`, {
    hint: 'detector and set share one layout',
  });
