import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PosetwinError } from '../../../orchestrator/errors.ts';
import { boundPose, keypointMask, leastLoss, lossSpecs, stepLoss } from '../../../orchestrator/losses/index.ts';

type Person = [number, number][];
type Poses = Record<'a0' | 'b0' | 'a' | 'b', Person>;

const point = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }));
const person = fc.array(point, { minLength: 5, maxLength: 5 });
const poses = fc.record({ a0: person, b0: person, a: person, b: person });
const bias = fc.tuple(fc.double({ min: -1, max: 1, noNaN: true }), fc.double({ min: -1, max: 1, noNaN: true }));
const ratio = fc.double({ min: 0.01, max: 3000, noNaN: true });
const mask = [[1, 0, 1, 1, 1]];

/** Every keypoint term, of the poses of both routes. */
interface KeypointTerm {
  name: string;
  value: (poses: Poses) => number;
  /** the power of the keypoints' size that it grows with */
  degree: number;
  /** the swap that leaves it as it is: Eq. 39 of both routes, or of the two poses that it compares */
  swapped: (poses: Poses) => Poses;
  /** poses at which it is 0 */
  equal: (poses: Poses) => Poses;
}

const distance = (first: Person, second: Person): number =>
  lossSpecs.delta_l.evaluate({ keypoints_a: [first], keypoints_b: [second], mask });
const residual = ({ a0, b0, a, b }: Poses, reading: string): number =>
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

const byRoute = ({ a0, b0, a, b }: Poses): Poses => ({ a0: b0, b0: a0, a: b, b: a });
const asGiven = (poses: Poses): Poses => ({ ...poses, a: poses.a0, b: poses.b0 });

const keypointTerms: KeypointTerm[] = [
  {
    name: 'target_pose',
    value: ({ b, b0 }) => lossSpecs.target_pose.evaluate({ pred_keypoints_b: [b], keypoints_b: [b0], mask }),
    degree: 2,
    swapped: poses => ({ ...poses, b: poses.b0, b0: poses.b }),
    equal: poses => ({ ...poses, b: poses.b0 }),
  },
  {
    name: 'pose_residual, plain',
    value: poses => residual(poses, 'plain'),
    degree: 2,
    swapped: byRoute,
    equal: poses => ({ ...poses, b: poses.a }),
  },
  {
    name: 'pose_residual, absolute',
    value: poses => residual(poses, 'absolute'),
    degree: 2,
    swapped: byRoute,
    equal: asGiven,
  },
  {
    name: 'pose_residual, squared',
    value: poses => residual(poses, 'squared'),
    degree: 4,
    swapped: byRoute,
    equal: asGiven,
  },
  {
    name: 'delta_l',
    value: ({ a0, b0 }) => distance(a0, b0),
    degree: 2,
    swapped: byRoute,
    equal: poses => ({ ...poses, b0: poses.a0 }),
  },
  {
    name: 'lower_bound_distance',
    value: ({ a, b0 }) => lossSpecs.lower_bound_distance.evaluate({ pred_keypoints_a: [a], keypoints_b: [b0], mask }),
    degree: 2,
    swapped: poses => ({ ...poses, a: poses.b0, b0: poses.a }),
    equal: poses => ({ ...poses, a: poses.b0 }),
  },
];

const each = ({ a0, b0, a, b }: Poses, change: (person: Person) => Person): Poses => ({
  a0: change(a0),
  b0: change(b0),
  a: change(a),
  b: change(b),
});

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

describe.each(keypointTerms)('the keypoint term $name', ({ value, degree, swapped, equal }) => {
  it('does not depend on b_c of Eq. 2', () => {
    fc.assert(
      fc.property(poses, bias, (given, by) => near(value(each(given, person => normalized(person, by))), value(given))),
    );
  });

  it('is symmetric under swap', () => {
    fc.assert(fc.property(poses, given => near(value(swapped(given)), value(given))));
  });

  it('scales with a power of the keypoints', () => {
    const scaled = (by: number) => (points: Person) => points.map(([x, y]): [number, number] => [by * x, by * y]);
    fc.assert(
      fc.property(poses, fc.double({ min: 0.1, max: 10, noNaN: true }), (given, by) =>
        near(value(each(given, scaled(by))), by ** degree * value(given)),
      ),
    );
  });

  it('is 0 at equality and never below', () => {
    fc.assert(
      fc.property(poses, given => {
        expect(value(equal(given))).toBe(0);
        expect(value(given)).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe('loss terms', () => {
  it('take keypoints that do not depend on the size of the picture (Eq. 2)', () => {
    const frame = (keypoints: Person, scale: number) =>
      lossSpecs.normalize_keypoints.values({
        keypoints: [keypoints.map(([x, y]) => [scale * x, scale * y])],
        width: scale * 64,
        height: scale * 48,
        bias: [0.1, -0.2],
      });
    fc.assert(
      fc.property(person, fc.double({ min: 0.1, max: 10, noNaN: true }), (points, scale) => {
        const small = frame(points, 1);
        for (const [index, fraction] of frame(points, scale).entries()) near(fraction, small[index] ?? Number.NaN);
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
    const { per_step, primary_noise } = lossSpecs;
    const losses = { target_pose: [1, 2], pose_residual: [1, 2] };
    for (const wrong of [0, -1, [1, -1]])
      expect(codeOf(() => per_step.evaluate({ ...losses, q: wrong }))).toBe('out_of_range');
    for (const wrong of [[1], [1, 2, 3]])
      expect(codeOf(() => per_step.evaluate({ ...losses, q: wrong }))).toBe('wrong_type');
    const noise = { noise: [[1]], noise_pred: [[2]], alphas: 0.9, reading: 'w(t)' };
    for (const wrong of [-0.1, 1.5, [2]])
      expect(codeOf(() => primary_noise.evaluate({ ...noise, alphas_cumprod: wrong }))).toBe('out_of_range');
    expect(
      codeOf(() =>
        score_difference.evaluate({ noise_pred_a: [[[1], [2]]], noise_pred_b: [[[1, 3]]], alphas_cumprod: 0.5 }),
      ),
    ).toBe('wrong_type');
    const nothing = { latents: [1], noise: [1], noise_pred: [1], alphas_cumprod: 0, reading: 'x_t' };
    expect(codeOf(() => one_step_image.evaluate(nothing))).toBe('singular_schedule');
  });
});
