/** What `dataset.pairs` asks of two people. */
import type { Dataset } from '../contracts/dataset.ts';
import { PosetwinError } from '../errors.ts';
import { poseDistance } from './pose-distance.ts';
import { numPoints, type Samples } from './samples.ts';

export type Fits = (a: number, b: number) => boolean;

/** A column that `readSamples` left out, as it read for another reading. */
const given = <T>(column: T | undefined, name: string): T => {
  if (column !== undefined) return column;
  throw new PosetwinError('bug', `the samples were read without ${name}`);
};

/** Whether two rows may be a pair: they show a common keypoint, and what the reading asks besides. */
export const fitsOf = ({ visible, class_hash, points }: Samples, dataset: Dataset): Fits => {
  const shared = (a: number, b: number): number => (visible[a] as number) & (visible[b] as number);
  if (dataset.pairs === 'far') {
    const [xy, stride] = [given(points, 'keypoints'), 2 * numPoints];
    return (a, b) => {
      const distance = poseDistance(xy, a * stride, b * stride, shared(a, b), dataset.image_size);
      return distance !== undefined && distance >= dataset.min_distance;
    };
  }
  if (dataset.pairs === 'other-class') {
    const classes = given(class_hash, 'class_hash');
    return (a, b) => classes[a] !== classes[b] && shared(a, b) !== 0;
  }
  return (a, b) => shared(a, b) !== 0;
};
