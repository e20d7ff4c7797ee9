import type { FigureResult } from '../contracts/results.ts';
import { type Html, html } from './html.ts';

type Keypoints = FigureResult['target'];

/** Limbs of OpenPose-18 as index pairs, in OpenPose's own drawing order. */
const limbs = [
  [1, 2],
  [1, 5],
  [2, 3],
  [3, 4],
  [5, 6],
  [6, 7],
  [1, 8],
  [8, 9],
  [9, 10],
  [1, 11],
  [11, 12],
  [12, 13],
  [1, 0],
  [0, 14],
  [14, 16],
  [0, 15],
  [15, 17],
] as const;

/** Colour of a limb and of a joint by its index: OpenPose's rainbow, one hue every 20 degrees. */
const hue = (index: number): string => `hsl(${index * 20}, 100%, 50%)`;

const isGiven = (point: Keypoints[number] | undefined): point is Keypoints[number] => (point?.[2] ?? 0) > 0;

const round = (value: number): number => Math.round(value * 100) / 100;

const line = (from: Keypoints[number], to: Keypoints[number], stroke: string, width: number): Html =>
  html`<line x1="${round(from[0])}" y1="${round(from[1])}" x2="${round(to[0])}" y2="${round(to[1])}" stroke="${stroke}" stroke-width="${round(width)}"/>`;

/**
 * The target pose as thin limbs in OpenPose's colours over a thin dark edge, so that it is seen on any background.
 * Coordinates are pixels of the picture; `width` is the limbs' width in the same pixels.
 */
export const skeletonLines = (keypoints: Keypoints, width: number): Html => {
  const drawn = limbs.flatMap(([from, to], index) => {
    const [start, end] = [keypoints[from], keypoints[to]];
    return isGiven(start) && isGiven(end) ? [{ start, end, colour: hue(index) }] : [];
  });
  const edge = drawn.map(({ start, end }) => line(start, end, '#000000', width * 1.8));
  const limbLines = drawn.map(({ start, end, colour }) => line(start, end, colour, width));
  return html`<g stroke-linecap="round"><g stroke-opacity="0.55">${edge}</g><g>${limbLines}</g></g>`;
};

/** What the judge finds, as small circles in the joints' colours; keypoints below `threshold` are left out. */
export const keypointCircles = (keypoints: Keypoints, radius: number, threshold = 0.3): Html => {
  const circles = keypoints.map((point, index) =>
    point[2] < threshold
      ? null
      : html`<circle cx="${round(point[0])}" cy="${round(point[1])}" r="${round(radius)}" fill="${hue(index)}"/>`,
  );
  return html`<g stroke="#ffffff" stroke-width="${round(radius * 0.45)}">${circles}</g>`;
};
