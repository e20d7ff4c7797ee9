import type { Sample } from '../contracts/dataset.ts';

type Posed = Pick<Sample, 'keypoints'>;

/**
 * Root mean square distance of the keypoints that both people show, as a fraction of the image side; undefined where
 * they share none. Keypoints are in pixels.
 */
export const poseDistance = (a: Posed, b: Posed, imageSize: number): number | undefined => {
  // A plain loop: `all-combinations` comes here millions of times.
  let [sum, count] = [0, 0];
  for (let index = 0; index < a.keypoints.length; index += 1) {
    const first = a.keypoints[index];
    const second = b.keypoints[index];
    if (first === undefined || second === undefined || !(first[2] > 0 && second[2] > 0)) continue;
    sum += (first[0] - second[0]) ** 2 + (first[1] - second[1]) ** 2;
    count += 1;
  }
  return count === 0 ? undefined : Math.sqrt(sum / count) / imageSize;
};
