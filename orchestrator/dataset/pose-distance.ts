import type { Sample } from '../contracts/dataset.ts';

type Posed = Pick<Sample, 'keypoints'>;

/**
 * Root mean square distance of the keypoints that both people show, as a fraction of the image side; undefined where
 * they share none. Keypoints are in pixels.
 */
export const poseDistance = (a: Posed, b: Posed, imageSize: number): number | undefined => {
  const squares = a.keypoints.flatMap(([ax, ay, seen], index) => {
    const other = b.keypoints[index];
    return seen > 0 && other !== undefined && other[2] > 0 ? [(ax - other[0]) ** 2 + (ay - other[1]) ** 2] : [];
  });
  if (squares.length === 0) return undefined;
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / squares.length) / imageSize;
};
