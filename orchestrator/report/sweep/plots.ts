/** The plots of a sweep's page. */
import * as Plot from '@observablehq/plot';
import { labelOf } from '../../config/assignment-text.ts';
import type { Html } from '../html.ts';
import { draw } from '../plots.ts';
import { number, shorten } from '../text.ts';
import type { Cell, SweepAxis } from './axes.ts';
import type { Setting } from './comparison.ts';
import { meanOfSecondary, type TrialRecord } from './record.ts';

const widestLabel = 18;
const short = (label: string): string => shorten(label, widestLabel);

/** Means over two axes as a heat map; `what` names the value in its label. */
export const heatMap = ([x, y]: readonly [SweepAxis, SweepAxis], cells: readonly Cell[], what: string): Html => {
  const told = cells.map(cell => `${cell.x}, ${cell.y}: ${number(cell.value, 3)}`).join('; ');
  const values = cells.map(({ value }) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  // One colour of growing strength keeps the numbers legible on light and dark pages.
  const strength = ({ value }: Cell) => 0.08 + 0.47 * (high > low ? (value - low) / (high - low) : 0);
  return draw(`${what} by ${x.path} and ${y.path}. ${told}`, {
    height: 60 + 44 * y.labels.length,
    marginLeft: 140,
    marginBottom: x.labels.length > 2 ? 62 : 42,
    padding: 0.04,
    x: { domain: x.labels, label: null, tickFormat: short, tickRotate: x.labels.length > 2 ? -20 : 0 },
    y: { domain: y.labels, label: null, tickFormat: short },
    opacity: { type: 'identity' },
    marks: [
      Plot.cell(cells, { x: 'x', y: 'y', fill: 'var(--series-2)', fillOpacity: strength }),
      Plot.text(cells, { x: 'x', y: 'y', text: ({ value }) => number(value, 3), fill: 'currentColor' }),
    ],
  });
};

interface Dimension {
  name: string;
  /** 0 … 1; null where the trial has no place on it */
  place: (trial: TrialRecord) => number | null;
  ticks: readonly { place: number; text: string }[];
}

const axisDimension = ({ path, labels }: SweepAxis): Dimension => {
  const last = Math.max(labels.length - 1, 1);
  return {
    name: path,
    place: ({ assignment }) => {
      const index = path in assignment ? labels.indexOf(labelOf(assignment[path])) : -1;
      return index < 0 ? null : index / last;
    },
    ticks: labels.map((label, index) => ({ place: index / last, text: short(label) })),
  };
};

const valueDimension = (
  name: string,
  trials: readonly TrialRecord[],
  value: (trial: TrialRecord) => number | null,
): Dimension => {
  const values = trials.map(value).filter(found => found !== null);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const placeOf = (found: number) => (high > low ? (found - low) / (high - low) : 0.5);
  return {
    name,
    place: trial => {
      const found = value(trial);
      return found === null ? null : placeOf(found);
    },
    ticks: [...new Set([low, high])].map(found => ({ place: placeOf(found), text: number(found, 3) })),
  };
};

/** A line for each trained trial through its values on all axes, its error and its drift; darker is a smaller error. */
export const parallelPlot = (axes: readonly SweepAxis[], trials: readonly TrialRecord[]): Html => {
  const error = valueDimension('error, px', trials, trial => meanOfSecondary(trial, 'keypoint_error_px'));
  const drift = valueDimension('drift', trials, trial => meanOfSecondary(trial, 'scene_drift'));
  const dimensions = [...axes.map(axisDimension), error, ...(drift.ticks.length > 0 ? [drift] : [])];
  // Many lines on top of each other are still to show which are many.
  const fade = Math.max(0.15, Math.min(1, 40 / trials.length));
  const points = trials.flatMap(trial =>
    dimensions.flatMap(({ name, place }) => {
      const y = place(trial);
      return y === null ? [] : [{ name, y, id: trial.id, strength: fade * (1 - 0.8 * (error.place(trial) ?? 1)) }];
    }),
  );
  const ticks = dimensions.flatMap(dimension => dimension.ticks.map(tick => ({ ...tick, name: dimension.name })));
  const names = dimensions.map(({ name }) => name);
  return draw(`${trials.length} trials as lines over ${names.join(', ')}`, {
    width: Math.max(760, 190 * names.length),
    height: 330,
    marginLeft: 50,
    marginTop: 34,
    marginRight: 130,
    x: { type: 'point', domain: names, label: null, axis: 'top', tickSize: 0, tickFormat: name => shorten(name, 26) },
    y: { axis: null, domain: [0, 1], inset: 8 },
    opacity: { type: 'identity' },
    marks: [
      Plot.ruleX(names, { stroke: 'var(--edge)', strokeWidth: 2 }),
      Plot.line(points, { x: 'name', y: 'y', z: 'id', stroke: 'var(--series-1)', strokeOpacity: 'strength' }),
      Plot.text(ticks, {
        x: 'name',
        y: 'place',
        text: 'text',
        textAnchor: 'start',
        dx: 5,
        stroke: 'var(--page)',
        strokeWidth: 4,
        fill: 'currentColor',
      }),
    ],
  });
};

interface TradeOff {
  name: string;
  x: number;
  x1: number;
  x2: number;
  y: number;
  y1: number;
  y2: number;
}

const tradeOffOf = ({ ranked }: Setting, index: number): TradeOff[] => {
  const error = ranked?.against_primary.keypoint_error_px?.ratio;
  const drift = ranked?.against_primary.scene_drift?.ratio;
  if (!error || !drift) return [];
  const [x, y] = [
    { x: drift.mean, x1: drift.low, x2: drift.high },
    { y: error.mean, y1: error.low, y2: error.high },
  ];
  return [{ name: String(index + 1), ...x, ...y }];
};

/** Those that no other one beats in both. */
const paretoFront = (dots: readonly TradeOff[]): TradeOff[] =>
  dots.filter(({ x, y }) => !dots.some(other => other.x <= x && other.y <= y && (other.x < x || other.y < y)));

/** So many numbers can be told apart beside their dots. */
const mostLabels = 16;

/** Error against drift as multiples of the primary's; numbers as in the ranking, of many settings those nobody beats. */
export const tradeOffPlot = (settings: readonly Setting[]): Html => {
  const dots = settings.flatMap(tradeOffOf);
  const told = dots.map(({ name, x, y }) => `${name}: drift ${number(x, 3)}, error ${number(y, 3)}`).join('; ');
  const isCrowded = dots.length > mostLabels;
  const bar = { stroke: 'var(--secondary)', strokeOpacity: isCrowded ? 0.3 : 1 };
  return draw(`Keypoint error against scene drift, as multiples of the primary's. ${told}`, {
    width: 620,
    height: 400,
    inset: 14,
    x: { label: 'scene drift, times the primary’s', grid: true, nice: true },
    y: { label: 'keypoint error, times the primary’s', grid: true, nice: true },
    marks: [
      Plot.ruleX([1], { stroke: 'currentColor', strokeDasharray: '3 3' }),
      Plot.ruleY([1], { stroke: 'currentColor', strokeDasharray: '3 3' }),
      Plot.dot([{ x: 1, y: 1 }], { x: 'x', y: 'y', symbol: 'square', fill: 'var(--primary)', r: 5 }),
      Plot.text([{ x: 1, y: 1 }], { x: 'x', y: 'y', text: () => 'primary', textAnchor: 'start', dx: 8, dy: -9 }),
      Plot.ruleY(dots, { y: 'y', x1: 'x1', x2: 'x2', ...bar }),
      Plot.ruleX(dots, { x: 'x', y1: 'y1', y2: 'y2', ...bar }),
      Plot.dot(dots, { x: 'x', y: 'y', fill: 'var(--secondary)', r: 4 }),
      Plot.text(isCrowded ? paretoFront(dots) : dots, {
        x: 'x',
        y: 'y',
        text: 'name',
        textAnchor: 'start',
        dx: 7,
        dy: 9,
        fontWeight: 'bold',
      }),
    ],
  });
};
