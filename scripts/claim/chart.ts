/** The trade-off as a picture: how far the pose error falls against how far the scene drifts. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { Row } from './table.ts';

interface Dot {
  objective: string;
  latents: string;
  weight: string;
  error: number;
  low: number;
  high: number;
  drift: number;
}

const dotOf = ({ setting: { objective, latents, weight }, summary }: Row): Dot[] => {
  const { keypoint_error_px, scene_drift } = summary.secondary_vs_primary;
  if (!keypoint_error_px.ratio || !scene_drift?.ratio) return [];
  const { mean, low, high } = keypoint_error_px.ratio;
  const label = weight === null ? '' : String(weight);
  return [{ objective, latents, weight: label, error: mean, low, high, drift: scene_drift.ratio.mean }];
};

/** One panel for each reading of the states; a line joins the weights of an objective; the primary is at (1, 1). */
export const draw = (rows: readonly Row[]): string => {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const dots = rows.flatMap(dotOf);
  const furthest = Math.max(4, ...dots.map(({ drift }) => 1.6 * drift));
  const at = { x: 'drift', y: 'error', fx: 'latents' } as const;
  const plot = Plot.plot({
    document,
    width: 900,
    height: 340,
    marginLeft: 50,
    marginBottom: 40,
    style: { background: 'white', color: '#222', fontFamily: 'sans-serif' },
    x: {
      label: 'scene drift, times the primary’s',
      type: 'log',
      domain: [0.6, furthest],
      grid: true,
      ticks: [1, 2, 4, 8],
      tickFormat: '~r',
    },
    y: { label: 'keypoint error, times the primary’s', grid: true, domain: [0, 1.2] },
    fx: { label: 'states that are trained on' },
    color: { legend: false, domain: ['patent', 'score', 'score+pose', 'patent+scene'], scheme: 'dark2' },
    marks: [
      Plot.ruleY([1], { strokeDasharray: '3,3' }),
      Plot.ruleX([1], { strokeDasharray: '3,3' }),
      Plot.line(dots, { ...at, z: 'objective', stroke: 'objective' }),
      Plot.ruleX(dots, { x: 'drift', y1: 'low', y2: 'high', fx: 'latents', stroke: 'objective' }),
      Plot.dot(dots, { ...at, fill: 'objective', r: 4 }),
      Plot.text(dots, {
        ...at,
        text: d => `${d.objective} ${d.weight}`,
        fill: 'objective',
        dx: 7,
        textAnchor: 'start',
      }),
    ],
  });
  plot.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  return `${plot.outerHTML}\n`;
};
