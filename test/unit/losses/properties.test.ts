import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PosetwinError } from '../../../orchestrator/errors.ts';
import { boundPose, keypointMask, leastLoss, lossSpecs, stepLoss } from '../../../orchestrator/losses/index.ts';

type Person = [number, number][];

const point = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }));
const person = fc.array(point, { minLength: 5, maxLength: 5 });
const poses = fc.record({ a0: person, b0: person, a: person, b: person });
const bias = fc.tuple(fc.double({ min: -1, max: 1, noNaN: true }), fc.double({ min: -1, max: 1, noNaN: true }));
const ratio = fc.double({ min: 0.01, max: 3000, noNaN: true });
const mask = [[1, 0, 1, 1, 1]];

const distance = (first: Person, second: Person): number =>
  lossSpecs.delta_l.evaluate({ keypoints_a: [first], keypoints_b: [second], mask });
const residual = ({ a0, b0, a, b }: Record<'a0' | 'b0' | 'a' | 'b', Person>, reading: string): number =>
  lossSpecs.pose_residual.evaluate({
    pred_keypoints_a: [a],
    pred_keypoints_b: [b],
    keypoints_a: [a0],
    keypoints_b: [b0],
    mask,
    reading,
  });
const near = (actual: number, expected: number): void => {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-9 * Math.abs(expected) + 1e-12);
};

const normalized = (person: Person, by: [number, number]): Person => {
  const values = lossSpecs.normalize_keypoints.values({ keypoints: [person], width: 1, height: 1, bias: by });
  return person.map((_, index) => [values[2 * index] ?? 0, values[2 * index + 1] ?? 0]);
};

const codeOf = (action: () => unknown): string | undefined => {
  try {
    action();
    return undefined;
  } catch (error) {
    return error instanceof PosetwinError ? error.code : String(error);
  }
};

describe('loss terms', () => {
  it('do not depend on b_c of Eq. 2', () => {
    fc.assert(
      fc.property(poses, bias, ({ a0, b0 }, by) =>
        near(distance(normalized(a0, by), normalized(b0, by)), distance(a0, b0)),
      ),
    );
  });

  it('are symmetric under the swap of Eq. 39', () => {
    fc.assert(
      fc.property(poses, fc.constantFrom('plain', 'absolute', 'squared'), ({ a0, b0, a, b }, reading) =>
        near(residual({ a0, b0, a, b }, reading), residual({ a0: b0, b0: a0, a: b, b: a }, reading)),
      ),
    );
  });

  it('scale with the square of the keypoints and vanish at equality', () => {
    const scaled = (points: Person): Person => points.map(([x, y]) => [3 * x, 3 * y]);
    fc.assert(
      fc.property(poses, ({ a0, b0 }) => {
        near(distance(scaled(a0), scaled(b0)), 9 * distance(a0, b0));
        expect(distance(a0, a0)).toBe(0);
        expect(residual({ a0, b0, a: a0, b: b0 }, 'absolute')).toBe(0);
      }),
    );
  });

  it('never fall below L* and are bounded as audit point 3 says (Eq. 40)', () => {
    fc.assert(
      fc.property(poses, ratio, ({ a0, b0, a, b }, q) => {
        const target = distance(b, b0);
        const loss = stepLoss(target, residual({ a0, b0, a, b }, 'plain'), q);
        const d = distance(a, b0);
        expect(loss).toBeGreaterThanOrEqual(leastLoss(d, q) * (1 - 1e-9));
        expect(Math.sqrt(target)).toBeLessThanOrEqual(boundPose([{ loss, distance: d, q }]) * (1 + 1e-9) + 1e-9);
      }),
    );
  });

  it('give the bounds of the audit for τ = 0.04 %: 0.12 % at Q = 2,007 and 6.4 % at Q = 30.3', () => {
    const relative = (q: number) => boundPose([{ loss: 1.0004, distance: 1, q }]);
    expect(relative(2007)).toBeCloseTo(0.0012, 4);
    expect(relative(30.3)).toBeCloseTo(0.064, 3);
  });

  it('take one mask, from the given annotations', () => {
    expect(keypointMask([[2, 1, 0, 2]], [[1, 0, 2, 2]])).toEqual([[1, 0, 0, 1]]);
    expect(codeOf(() => keypointMask([[2, 0]], [[0, 1]]))).toBe('no_visible_keypoint');
  });

  it('refuse what they cannot compute with a code', () => {
    const { delta_l, score_difference, q, one_step_image } = lossSpecs;
    const one = [[[0, 0]]];
    expect(codeOf(() => delta_l.evaluate({}))).toBe('wrong_type');
    expect(codeOf(() => delta_l.evaluate({ keypoints_a: [[[0, Number.NaN]]], keypoints_b: one, mask: [[1]] }))).toBe(
      'wrong_type',
    );
    expect(codeOf(() => delta_l.evaluate({ keypoints_a: one, keypoints_b: one, mask: [[0]] }))).toBe(
      'no_visible_keypoint',
    );
    expect(
      codeOf(() =>
        delta_l.evaluate({
          keypoints_a: one,
          keypoints_b: [
            [
              [0, 0],
              [1, 1],
            ],
          ],
          mask: [[1]],
        }),
      ),
    ).toBe('bad_keypoints');
    expect(codeOf(() => score_difference.evaluate({ noise_pred_a: [1], noise_pred_b: [2], alphas_cumprod: 1 }))).toBe(
      'singular_schedule',
    );
    expect(codeOf(() => q.evaluate({ odds: [1], reading: -1 }))).toBe('out_of_range');
    expect(codeOf(() => q.evaluate({ odds: [null], reading: 'expectation' }))).toBe('singular_schedule');
    const nothing = { latents: [1], noise: [1], noise_pred: [1], alphas_cumprod: 0, reading: 'x_t' };
    expect(codeOf(() => one_step_image.evaluate(nothing))).toBe('singular_schedule');
  });
});
