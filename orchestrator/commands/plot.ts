import { type Point, plot } from 'simple-ascii-chart';

/** Columns of a plot: few steps are spread out, and beyond the widest it says no more. */
const narrowest = 40;
const widest = 72;
/** the axis and its labels */
const margin = 10;
const height = 8;

/** One column for one step or more: a `value` is taken from a step of it, `share`s add up. */
type Meaning = 'value' | 'share';

const thinned = (values: readonly number[], columns: number, meaning: Meaning): Point[] => {
  const size = Math.ceil(values.length / columns);
  return Array.from({ length: Math.ceil(values.length / size) }, (_, column) => {
    const from = column * size;
    const part = values.slice(from, from + size);
    return [from + 1, meaning === 'share' ? part.reduce((sum, value) => sum + value, 0) : (part[0] ?? 0)];
  });
};

const ticksOf = (points: readonly Point[]): number[] => {
  const last = points.length - 1;
  return [...new Set([0, 0.25, 0.5, 0.75, 1].map(part => points[Math.round(part * last)]?.[0] ?? 1))];
};

const labelOf = (value: number, meaning: Meaning): string =>
  meaning === 'share' ? `${Number((100 * value).toPrecision(3))} %` : String(Number(value.toPrecision(3)));

/** Numbers in [0, 1] over t = 1 … T as lines of text; a long T is thinned to the `columns` there are. */
export const plotSteps = (title: string, values: readonly number[], columns: number, meaning: Meaning): string[] => {
  const points = thinned(values, Math.max(Math.min(columns - margin, widest), 10), meaning);
  const top = Math.max(...points.map(([, value]) => value)) || 1;
  const ticks = [0, top / 2, top];
  // The library makes room for the values it meets, not for the ticks: labels of one width always fit.
  const room = Math.max(...ticks.map(tick => labelOf(tick, meaning).length));
  const text = plot(points, {
    width: Math.max(points.length, narrowest),
    height,
    yRange: [0, top],
    customXAxisTicks: ticksOf(points),
    customYAxisTicks: ticks,
    formatter: (value, { axis }) => (axis === 'y' ? labelOf(value, meaning).padStart(room) : value),
  });
  const size = (points[1]?.[0] ?? 2) - 1;
  const each = size > 1 ? ` (a column for ${size} steps)` : '';
  return [`${title}${each}`, ...text.split('\n').map(line => line.trimEnd())].filter(line => line !== '');
};
