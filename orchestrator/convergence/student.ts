import jstat from 'jstat';
import { type Interval, meanOf } from './bootstrap.ts';

/** Sample standard deviation; NaN of fewer than two values. */
export const deviationOf = (values: readonly number[]): number => {
  const mean = meanOf(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
};

/**
 * Mean of a few values with Student's interval (Student, 1908): right for values that scatter normally, however few, where
 * resampling them would be far too sure. Without bounds (infinite) of fewer than two values.
 */
export const studentInterval = (values: readonly number[], confidence: number): Interval => {
  const mean = meanOf(values);
  if (values.length < 2) return { mean, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  const half =
    (jstat.studentt.inv((1 + confidence) / 2, values.length - 1) * deviationOf(values)) / Math.sqrt(values.length);
  return { mean, low: mean - half, high: mean + half };
};
