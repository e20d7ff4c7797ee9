import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PosetwinError } from '../../../orchestrator/errors.ts';
import { lossSpecs } from '../../../orchestrator/losses/index.ts';

type Pair = [number, number];

const { control_map, normalize_keypoints } = lossSpecs;
const bias = fc.tuple(fc.double({ min: -1, max: 1, noNaN: true }), fc.double({ min: -1, max: 1, noNaN: true }));

/** A frame and points in whole hundredths of its pixels, whole pixels and points beyond the edge among them. */
const scenes = fc.tuple(fc.integer({ min: 1, max: 24 }), fc.integer({ min: 1, max: 24 })).chain(([width, height]) => {
  const place = (side: number) =>
    fc.oneof(
      fc.integer({ min: -1, max: side + 1 }),
      fc.integer({ min: -50 * side, max: 150 * side }).map(n => n / 100),
    );
  const points = fc.array(fc.tuple(place(width), place(height)), { minLength: 1, maxLength: 5 });
  return fc.record({ points, size: fc.constant<Pair>([width, height]) });
});

interface Options {
  by?: Pair;
  radius?: number;
  reading?: 'square' | 'image';
  mask?: number[];
}

const draw = (points: Pair[], [width, height]: Pair, options: Options = {}): number[] => {
  const { by = [0, 0], radius = 0, reading = 'image', mask = points.map(() => 1) } = options;
  const flat = normalize_keypoints.values({ keypoints: [points], width, height, bias: by });
  const keypoints = [points.map((_, index) => [flat[2 * index], flat[2 * index + 1]])];
  return control_map.values({ keypoints, mask: [mask], width, height, bias: by, radius, reading });
};

/** x + width·y of the pixels that are 0. */
const black = (map: number[]): Set<number> => new Set(map.flatMap((grey, index) => (grey === 0 ? [index] : [])));
const inside = (value: number, side: number): number => Math.min(Math.max(Math.floor(value), 0), side - 1);

const codeOf = (action: () => unknown): string | undefined => {
  try {
    action();
    return undefined;
  } catch (error) {
    return error instanceof PosetwinError ? error.code : String(error);
  }
};

describe('control_map (step 2)', () => {
  it('is 0 at the pixels of the keypoints, the nearest ones for those beyond the edge, and 255 elsewhere', () => {
    fc.assert(
      fc.property(scenes, ({ points, size: [width, height] }) => {
        const map = draw(points, [width, height]);
        expect(black(map)).toEqual(new Set(points.map(([x, y]) => inside(x, width) + width * inside(y, height))));
        expect(map.every(grey => grey === 0 || grey === 255)).toBe(true);
      }),
    );
  });

  it('does not depend on b_c of Eq. 2, which is undone', () => {
    fc.assert(
      fc.property(scenes, bias, fc.integer({ min: 0, max: 3 }), ({ points, size }, by, radius) => {
        expect(draw(points, size, { by, radius })).toEqual(draw(points, size, { radius }));
      }),
    );
  });

  it('does not tell which joint is which: the order of keypoints is lost', () => {
    fc.assert(
      fc.property(scenes, ({ points, size }) => {
        expect(draw([...points].reverse(), size)).toEqual(draw(points, size));
      }),
    );
  });

  it('swaps with the poses of a pair (Eq. 39)', () => {
    const sides = { mask: [[1], [1]], width: 3, height: 3, bias: [0, 0], radius: 0, reading: 'square' };
    const [a, b] = [[[0.1, 0.1]], [[0.9, 0.5]]];
    const forth = control_map.values({ ...sides, keypoints: [a, b] });
    expect(control_map.values({ ...sides, keypoints: [b, a] })).toEqual([...forth.slice(9), ...forth.slice(0, 9)]);
  });

  it('scales with the picture: in a frame k times as large each dot lies in the k × k pixels of the small one', () => {
    fc.assert(
      fc.property(scenes, fc.integer({ min: 2, max: 4 }), ({ points, size: [width, height] }, k) => {
        const large = draw(
          points.map(([x, y]): Pair => [k * x, k * y]),
          [k * width, k * height],
        );
        const shrunk = [...black(large)].map(index => {
          const [x, y] = [index % (k * width), Math.floor(index / (k * width))];
          return Math.floor(x / k) + width * Math.floor(y / k);
        });
        expect(new Set(shrunk)).toEqual(black(draw(points, [width, height])));
      }),
    );
  });

  it('leaves out what the mask leaves out, and is 255 throughout where nothing is left', () => {
    const points: Pair[] = [
      [1, 1],
      [2, 0],
    ];
    expect(black(draw(points, [4, 3], { mask: [0, 1] }))).toEqual(new Set([2]));
    expect(black(draw(points, [4, 3], { mask: [0, 0] })).size).toBe(0);
  });

  it('is the same under both readings for a square frame, and refuses another under `square`', () => {
    fc.assert(
      fc.property(scenes, ({ points, size: [side] }) => {
        expect(draw(points, [side, side], { reading: 'square' })).toEqual(draw(points, [side, side]));
      }),
    );
    expect(codeOf(() => draw([[1, 1]], [4, 3], { reading: 'square' }))).toBe('refused_combination');
  });

  it('refuses a mask of another length and a negative radius with a code', () => {
    expect(codeOf(() => draw([[1, 1]], [4, 4], { mask: [1, 1] }))).toBe('bad_keypoints');
    expect(codeOf(() => draw([[1, 1]], [4, 4], { radius: -1 }))).toBe('out_of_range');
  });
});
