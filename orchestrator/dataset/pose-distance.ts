import type { Sample } from '../contracts/assembled.ts';
import { copyPoints, numPoints } from './samples.ts';

/**
 * Root mean square distance of the keypoints that both people show, as a fraction of the image side; undefined where
 * they share none. points: (…, 18, 2) px, of which the people begin at `a` and `b`. shared: bit k: both show keypoint k.
 */
export const poseDistance = (
  points: Float32Array | Float64Array,
  a: number,
  b: number,
  shared: number,
  imageSize: number,
): number | undefined => {
  // A plain loop: pairing comes here millions of times.
  let [sum, count] = [0, 0];
  for (let k = 0; k < numPoints; k += 1) {
    if ((shared & (1 << k)) === 0) continue;
    const at = 2 * k;
    const x = (points[a + at] as number) - (points[b + at] as number);
    const y = (points[a + at + 1] as number) - (points[b + at + 1] as number);
    sum += x * x + y * y;
    count += 1;
  }
  return count === 0 ? undefined : Math.sqrt(sum / count) / imageSize;
};

type Posed = Pick<Sample, 'keypoints'>;

const seenBits = ({ keypoints }: Posed): number =>
  keypoints.reduce((bits, [, , seen], index) => (seen > 0 ? bits | (1 << index) : bits), 0);

/** The same of two samples as they are read one by one. */
export const sampleDistance = (a: Posed, b: Posed, imageSize: number): number | undefined => {
  const points = new Float64Array(4 * numPoints);
  copyPoints(a.keypoints.flat(), points, 0);
  copyPoints(b.keypoints.flat(), points, 2 * numPoints);
  return poseDistance(points, 0, 2 * numPoints, seenBits(a) & seenBits(b), imageSize);
};
