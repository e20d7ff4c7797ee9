import { describe, expect, it } from 'vitest';
import { deviationOf, studentInterval } from '../../../orchestrator/convergence/student.ts';

describe("Student's interval", () => {
  it('is the textbook one of three values', () => {
    // t of 2 degrees of freedom at 97.5 % is 4.302653 in every table; s = 1, so half = 4.302653 / sqrt(3).
    const { mean, low, high } = studentInterval([1, 2, 3], 0.95);
    expect(mean).toBe(2);
    expect(low).toBeCloseTo(2 - 2.484138, 5);
    expect(high).toBeCloseTo(2 + 2.484138, 5);
  });

  it('narrows with confidence and with the number of values', () => {
    // Of 31 values, t is 2.042272 at 97.5 % and 1.697261 at 95 %.
    const values = Array.from({ length: 31 }, (_, index) => index % 2);
    const error = deviationOf(values) / Math.sqrt(31);
    expect(studentInterval(values, 0.95).high - 15 / 31).toBeCloseTo(2.042272 * error, 5);
    expect(studentInterval(values, 0.9).high - 15 / 31).toBeCloseTo(1.697261 * error, 5);
  });

  it('has no bounds where one value says nothing about its scatter', () => {
    const { mean, low, high } = studentInterval([4], 0.95);
    expect([mean, low, high]).toEqual([4, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
  });
});
