import { z } from 'zod';
import { PosetwinError } from '../errors.ts';
import { Mask, Points, perSample } from './inputs.ts';
import { badKeypoints } from './keypoint-mask.ts';
import { defineLoss } from './spec.ts';
import { words } from './symbols.ts';

const readings = ['square', 'image'] as const;
type Reading = (typeof readings)[number];
type Pair = [number, number];

/** Grey of the pixels that a keypoint hits, and of all others. */
const [hit, blank] = [0, 255];

/** What Eq. 2 and its undoing may lose of a fraction; without it a whole pixel could come back as the one before. */
const rounding = 4 * Number.EPSILON;

/** Width and height of the map. Throws `refused_combination`. */
const mapSize = (width: number, height: number, reading: Reading): Pair => {
  if (reading === 'image') return [width, height];
  const u = Math.min(width, height);
  if (u === Math.max(width, height)) return [u, u];
  throw new PosetwinError('refused_combination', `a square map would distort a frame of ${width} × ${height} px`, {
    path: 'reading',
    hint: 'use square images, or the reading `image` (`control_frame: image`)',
  });
};

/** The pixel on one axis; a point beyond the edge moves to the nearest one (u itself is off the grid). */
const pixelOf = (value: number, bias: number, side: number): number =>
  Math.min(Math.max(Math.floor((value + bias + rounding) * side), 0), side - 1);

/** One map, row by row. */
const draw = (centres: Pair[], [width, height]: Pair, radius: number): number[] =>
  Array.from({ length: width * height }, (_, index) => {
    const [x, y] = [index % width, Math.floor(index / width)];
    return centres.some(([cx, cy]) => (x - cx) ** 2 + (y - cy) ** 2 <= radius ** 2) ? hit : blank;
  });

/** Step 2, the claims' dots: A_0 or B_0 from normalised keypoints; b_c of Eq. 2 is undone before drawing. */
export const controlMap = defineLoss({
  name: 'control_map',
  equation: 'step 2',
  formula: '0 at floor((y_i + b_c)·u), 255 elsewhere; u = min(w, h) on both axes, or w and h',
  symbols: {
    keypoints: 'A^(N) or B^(N): (B, N, 2), fractions of the frame less b_c (Eq. 2)',
    mask: '(B, N), 1 where a keypoint is drawn',
    width: 'w, whole pixels',
    height: 'h, whole pixels',
    bias: words.bias,
    radius: 'px around a keypoint that are 0 too; 0 is one pixel',
    reading: 'which of the readings',
  },
  readings,
  inputs: z.strictObject({
    keypoints: Points,
    mask: Mask,
    width: z.int().min(1),
    height: z.int().min(1),
    bias: z.tuple([z.number(), z.number()]),
    radius: z.int().min(0),
    reading: z.enum(readings),
  }),
  values: ({ keypoints, mask, width, height, bias, radius, reading }) => {
    const size = mapSize(width, height, reading);
    return perSample(keypoints, mask, (points, shown) => {
      if (points.length !== shown.length) throw badKeypoints(points.length, shown.length);
      const centres = points
        .filter((_, keypoint) => shown[keypoint] === 1)
        .map(([x, y]): Pair => [pixelOf(x, bias[0], size[0]), pixelOf(y, bias[1], size[1])]);
      return draw(centres, size, radius);
    }).flat();
  },
});
