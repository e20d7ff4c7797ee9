import { z } from 'zod';
import { Points } from './inputs.ts';
import { defineLoss } from './spec.ts';
import { words } from './symbols.ts';

type Pair = [number, number];

/** g_b of Eq. 2 on one point. */
const normalize = (point: Pair, frame: Pair, bias: Pair): number[] => [
  point[0] / frame[0] - bias[0],
  point[1] / frame[1] - bias[1],
];

/** Eq. 2-4: pixels to fractions of the frame. The stray factor Ψ_δ(Y) printed in Eq. 2 is a slip. */
export const normalizeKeypoints = defineLoss({
  name: 'normalize_keypoints',
  equation: 'Eq. 2-4',
  formula: 'g_b(y_i) = diag(1/b_w, 1/b_h)(y_i − b_c)',
  symbols: {
    keypoints: 'y_i: (B, N, 2), pixels',
    width: 'b_w, pixels',
    height: 'b_h, pixels',
    bias: words.bias,
  },
  inputs: z.strictObject({
    keypoints: Points,
    width: z.number().gt(0),
    height: z.number().gt(0),
    bias: z.tuple([z.number(), z.number()]),
  }),
  values: ({ keypoints, width, height, bias }) =>
    keypoints.flat().flatMap(point => normalize(point, [width, height], bias)),
});
