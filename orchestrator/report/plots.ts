import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { GradientsEvent, StepEvent, ValidationEvent, Visit } from '../contracts/events.ts';
import type { AuditAtT, EvaluateResult, Route } from '../contracts/results.ts';
import { type Html, raw } from './html.ts';
import { number, percent } from './text.ts';

/** One colour a series, defined for light and dark in style.css. */
export const routeColours: Record<Route, string> = {
  text_only: 'var(--text-only)',
  primary: 'var(--primary)',
  secondary: 'var(--secondary)',
};
export const routeNames: Record<Route, string> = { text_only: 'text only', primary: 'primary', secondary: 'secondary' };
export const routes: readonly Route[] = ['text_only', 'primary', 'secondary'];

/** The logged terms that are drawn, with the names people know them by. */
export const termNames = {
  target_pose: 'target pose (Eq. 36)',
  pose_residual: 'pose residual (Eq. 21)',
  score_difference: 'score difference (Eq. 18)',
  scene: 'scene term',
} as const;
type Term = keyof typeof termNames;
export const termColours: Record<Term, string> = {
  target_pose: 'var(--series-1)',
  pose_residual: 'var(--series-2)',
  score_difference: 'var(--series-3)',
  scene: 'var(--series-4)',
};
export const terms = Object.keys(termNames) as Term[];

interface Point {
  x: number;
  y: number;
}

// Drawn narrow with large type, so that a plot is readable both at 320 px and in two columns of a wide page.
const frame = { width: 460, height: 290, marginLeft: 62, marginBottom: 42, style: { fontSize: '13px' } };

/** A plot as markup of a page, read aloud as `label`. */
export const draw = (label: string, options: Plot.PlotOptions): Html => {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const plot = Plot.plot({ ...frame, ...options, document, ariaLabel: label });
  plot.setAttribute('role', 'img');
  return raw(plot.outerHTML);
};

/** Mean over the last `width` points, itself included: what the eye should follow in a noisy curve. */
export const movingMean = (points: readonly Point[], width: number): Point[] => {
  let sum = 0;
  return points.map((point, index) => {
    sum += point.y - (points[index - width]?.y ?? 0);
    return { x: point.x, y: sum / Math.min(index + 1, width) };
  });
};

/** At most `limit` points, evenly taken, the last one always among them: a long run must not make a heavy page. */
export const thin = <T>(points: readonly T[], limit = 600): T[] => {
  const stride = Math.ceil(points.length / limit);
  return points.filter((_, index) => (points.length - 1 - index) % stride === 0);
};

/** One point for each visited t that has a positive value. */
const series = (steps: readonly StepEvent[], value: (visit: Visit) => number | null): Point[] =>
  steps.flatMap(({ step, visits }) =>
    visits.flatMap(visit => {
      const y = value(visit);
      return y !== null && y > 0 ? [{ x: step, y }] : [];
    }),
  );

const smoothing = (steps: readonly StepEvent[]): number => Math.max(1, Math.min(50, Math.round(steps.length / 10)));

// The name stands in the right margin, so that no dot hides it.
const level = (value: number | null, name: string, dash: string, dy: number): Plot.Markish[] =>
  value === null || value <= 0
    ? []
    : [
        Plot.ruleY([value], { stroke: 'currentColor', strokeDasharray: dash }),
        Plot.text([value], {
          y: value => value,
          text: [name],
          frameAnchor: 'right',
          textAnchor: 'start',
          dx: 6,
          dy,
          fontWeight: 'bold',
        }),
      ];

/** L_t of Eq. 40 over the steps (dots and moving mean) against ΔL (Eq. 38) and the lower bound L*. */
export const lossPlot = (
  steps: readonly StepEvent[],
  { delta_l, lower_bound }: { delta_l: number | null; lower_bound: number | null },
): Html => {
  const points = series(steps, visit => visit.loss);
  const mean = movingMean(points, smoothing(steps));
  return draw(`Loss over ${steps.length} steps; ΔL is ${number(delta_l)}, L* is ${number(lower_bound)}`, {
    marginRight: 38,
    insetBottom: 10,
    x: { label: 'step' },
    y: { type: 'log', grid: true, label: 'L_t (log)', ticks: 5, tickFormat: value => number(value, 2) },
    marks: [
      Plot.dot(thin(points), { x: 'x', y: 'y', r: 1.6, fill: 'var(--series-1)', fillOpacity: 0.35 }),
      Plot.lineY(thin(mean), { x: 'x', y: 'y', stroke: 'var(--series-1)', strokeWidth: 2.2 }),
      ...level(delta_l, 'ΔL', '6 4', -5),
      ...level(lower_bound, 'L*', '2 3', 6),
    ],
  });
};

/** The unweighted terms over the steps, as moving means. */
export const termsPlot = (steps: readonly StepEvent[]): Html => {
  const width = smoothing(steps);
  return draw(`Moving means of the unweighted loss terms over ${steps.length} steps`, {
    x: { label: 'step' },
    y: { type: 'log', grid: true, label: 'term without weight (log)', ticks: 5, tickFormat: value => number(value, 2) },
    marks: terms.map(term =>
      Plot.lineY(
        thin(
          movingMean(
            series(steps, visit => visit.terms[term]),
            width,
          ),
        ),
        {
          x: 'x',
          y: 'y',
          stroke: termColours[term],
          strokeWidth: 2,
        },
      ),
    ),
  });
};

/** The terms on held-out pairs, a line each. Nothing of it depends on a step's own pairs, t or noise. */
export const validationPlot = (validations: readonly ValidationEvent[]): Html =>
  draw(`Loss terms on held-out pairs at ${validations.length} steps`, {
    x: { label: 'step' },
    y: { type: 'log', grid: true, label: 'held-out term (log)', ticks: 5, tickFormat: value => number(value, 2) },
    marks: terms.flatMap(term => {
      const points = validations.flatMap(({ step, terms }): Point[] => {
        const y = terms[term] ?? null;
        return y !== null && y > 0 ? [{ x: step, y }] : [];
      });
      return [
        Plot.lineY(points, { x: 'x', y: 'y', stroke: termColours[term], strokeWidth: 2 }),
        // Not as a marker of the line: those are numbered over all plots of a process.
        Plot.dot(points, { x: 'x', y: 'y', fill: termColours[term], r: 3 }),
      ];
    }),
  });

const barsOverT = (values: readonly { t: number; y: number }[]): Plot.Markish[] => [
  Plot.rectY(values, { x1: ({ t }) => t - 0.42, x2: ({ t }) => t + 0.42, y: 'y', fill: 'var(--series-1)' }),
  Plot.ruleY([0]),
];

/** Mean of L_t for each t that occurs in `steps`, in the order of t. */
export const meanLossPerT = (steps: readonly StepEvent[]): { t: number; y: number }[] => {
  const losses = new Map<number, number[]>();
  for (const { t, loss } of steps.flatMap(({ visits }) => visits))
    if (loss !== null) losses.set(t, [...(losses.get(t) ?? []), loss]);
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return [...losses].map(([t, values]) => ({ t, y: mean(values) })).sort((a, b) => a.t - b.t);
};

/** Mean of L_t for each t over the last half of training. */
export const perStepPlot = (steps: readonly StepEvent[]): Html => {
  const recent = steps.slice(Math.floor(steps.length / 2));
  return draw(`Mean loss for each diffusion step t over the last ${recent.length} training steps`, {
    x: { label: 't (1 is the cleanest)' },
    y: { grid: true, label: 'mean L_t', tickFormat: value => number(value, 3) },
    marks: barsOverT(meanLossPerT(recent)),
  });
};

/** Cosine of the two sides of Eq. 33 over the steps, one line for each t that was measured (audit, point 7). */
export const gradientsPlot = (gradients: readonly GradientsEvent[]): Html => {
  const measured = gradients.filter(({ cosine }) => cosine !== null);
  const ts = [...new Set(measured.map(({ t }) => t))].sort((a, b) => a - b);
  return draw(`Cosine of the gradients of both sides of Eq. 33 at t = ${ts.join(', ')}`, {
    marginRight: 56,
    x: { label: 'step' },
    y: { label: 'cosine', domain: [-1, 1], grid: true },
    color: { domain: ts, range: ts.map((_, index) => `var(--series-${(index % 4) + 1})`) },
    marks: [
      Plot.ruleY([0]),
      Plot.lineY(measured, { x: 'step', y: 'cosine', stroke: 't', strokeWidth: 2 }),
      Plot.text(
        measured,
        Plot.selectLast({ x: 'step', y: 'cosine', z: 't', text: ({ t }) => `t = ${t}`, textAnchor: 'start', dx: 5 }),
      ),
    ],
  });
};

/** How often the detector of the loss finds a person at each t: route A and route B (audit, point 10). */
export const detectionByTPlot = (rows: readonly AuditAtT[]): Html => {
  const line = (value: (row: AuditAtT) => number, colour: string) =>
    Plot.lineY(rows, { x: 't', y: value, stroke: colour, strokeWidth: 2.2 });
  return draw(`Share of images with a person at each of ${rows.length} t, routes A and B`, {
    x: { label: 't (1 is the cleanest)' },
    y: { label: 'person found', domain: [0, 1], grid: true },
    marks: [
      line(row => row.detection_rate_a, routeColours.primary),
      line(row => row.detection_rate_b, routeColours.secondary),
      Plot.ruleY([0]),
    ],
  });
};

/** alphas_cumprod over t. */
export const schedulePlot = (alphas_cumprod: readonly number[]): Html =>
  draw(
    `Cumulative alphas over ${alphas_cumprod.length} steps, from ${number(alphas_cumprod[0])} to ${number(alphas_cumprod.at(-1))}`,
    {
      x: { label: 't (1 is the cleanest)' },
      y: { grid: true, label: 'alphas_cumprod', domain: [0, 1] },
      marks: [
        Plot.lineY(
          alphas_cumprod.map((y, index) => ({ x: index + 1, y })),
          { x: 'x', y: 'y', stroke: 'var(--series-1)', strokeWidth: 2.2 },
        ),
        Plot.ruleY([0]),
      ],
    },
  );

/** Share of each t in Q (Eq. 37); `q_shares[t - 1]` is a fraction. */
export const qSharePlot = (q_shares: readonly number[]): Html =>
  draw(`Share of each step in Q; t = 1 alone has ${percent(q_shares[0])}`, {
    x: { label: 't (1 is the cleanest)' },
    y: { grid: true, label: 'share of Q', percent: true, tickFormat: value => `${number(value, 3)} %` },
    marks: barsOverT(q_shares.map((y, index) => ({ t: index + 1, y }))),
  });

const byRoute = <T>(value: (route: Route) => T): { route: string; value: T }[] =>
  routes.map(route => ({ route: routeNames[route], value: value(route) }));

const routeScale = { domain: routes.map(route => routeNames[route]), range: routes.map(route => routeColours[route]) };

/** Keypoint error by the judge for every held-out pair: box (quartiles, whiskers) and single pictures. */
export const errorPlot = ({ pairs }: EvaluateResult): Html => {
  const data = routes.flatMap(route =>
    pairs.map(pair => ({ route: routeNames[route], error: pair[route].keypoint_error_px })),
  );
  return draw(`Keypoint error of ${pairs.length} pictures a route, by the judge`, {
    height: 220,
    marginLeft: 84,
    x: { label: 'keypoint error, px', grid: true, zero: true },
    y: { label: null, domain: routeScale.domain },
    color: routeScale,
    marks: [
      Plot.boxX(data, { x: 'error', y: 'route', fill: 'route', fillOpacity: 0.45, stroke: 'currentColor', r: 0 }),
      Plot.dot(data, { x: 'error', y: 'route', fill: 'route', r: 2, fillOpacity: 0.7 }),
    ],
  });
};

/** How often the judge finds a person. */
export const detectionPlot = (detection_rate: Record<Route, number>): Html => {
  const data = byRoute(route => detection_rate[route]);
  return draw(data.map(({ route, value }) => `${route}: person found in ${percent(value)}`).join('; '), {
    height: 220,
    marginLeft: 84,
    marginRight: 56,
    x: { label: 'person found', percent: true, domain: [0, 100], grid: true },
    y: { label: null, domain: routeScale.domain },
    color: routeScale,
    marks: [
      Plot.barX(data, { x: 'value', y: 'route', fill: 'route' }),
      Plot.text(data, { x: 'value', y: 'route', text: ({ value }) => percent(value, 0), textAnchor: 'start', dx: 5 }),
      Plot.ruleX([0]),
    ],
  });
};
