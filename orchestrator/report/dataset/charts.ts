import * as Plot from '@observablehq/plot';
import type { Html } from '../html.ts';
import { draw } from '../plots.ts';
import { number, percent, shorten } from '../text.ts';
import { keypointNames } from './keypoint-names.ts';
import type { ShownPair } from './shown-pairs.ts';
import type { Counts, Survey } from './survey.ts';
import { className, splitNames, splits } from './words.ts';

/** How often each joint is seen, in the order of the skeleton. */
export const visibilityPlot = ({ visible, splits: { train, held_out } }: Survey): Html => {
  const total = Math.max(train + held_out, 1);
  const rows = keypointNames.map((name, k) => ({ name, share: (visible[k] ?? 0) / total }));
  const least = [...rows].sort((a, b) => a.share - b.share)[0];
  return draw(`Share of pictures that show each of 18 keypoints; the ${least?.name} least, ${percent(least?.share)}`, {
    height: 400,
    marginLeft: 112,
    marginRight: 48,
    x: { label: 'share of all pictures', percent: true, domain: [0, 100], grid: true },
    y: { label: null, domain: keypointNames },
    marks: [
      Plot.barX(rows, { x: 'share', y: 'name', fill: 'var(--series-1)' }),
      Plot.text(rows, { x: 'share', y: 'name', text: ({ share }) => percent(share, 0), textAnchor: 'start', dx: 4 }),
      Plot.ruleX([0]),
    ],
  });
};

const mostClasses = 20;

/** The most frequent classes, and one bar for all others, so that a set of a thousand classes stays a plot. */
export const classRows = (classes: Survey['classes']): { name: string; counts: Counts }[] => {
  if (classes.length <= mostClasses) return classes;
  const rest = classes.slice(mostClasses - 1);
  const sum = (split: keyof Counts) => rest.reduce((total, { counts }) => total + counts[split], 0);
  const counts = { train: sum('train'), held_out: sum('held_out') };
  return [...classes.slice(0, mostClasses - 1), { name: `${rest.length} other classes`, counts }];
};

export const splitColours = { train: 'var(--series-1)', held_out: 'var(--series-2)' } as const;

export const classPlot = (classes: Survey['classes']): Html => {
  const rows = classRows(classes).map(({ name, counts }) => ({ name: shorten(className(name), 24), counts }));
  const bars = rows.flatMap(({ name, counts }) =>
    splits.map(split => ({ name, split: splitNames[split], amount: counts[split] })),
  );
  return draw(`Pictures of ${rows.length} classes, by split`, {
    height: 60 + 19 * rows.length,
    marginLeft: 150,
    x: { label: 'pictures', grid: true },
    y: { label: null, domain: rows.map(({ name }) => name) },
    color: { domain: splits.map(split => splitNames[split]), range: splits.map(split => splitColours[split]) },
    marks: [Plot.barX(bars, { x: 'amount', y: 'name', fill: 'split' }), Plot.ruleX([0])],
  });
};

/** Distances of the pairs that the page shows. */
export const distancePlot = (pairs: readonly ShownPair[]): Html => {
  const distances = pairs.flatMap(({ distance }) => (distance === undefined ? [] : [{ distance }]));
  const mean = distances.reduce((sum, { distance }) => sum + distance, 0) / Math.max(distances.length, 1);
  return draw(`Pose distance of ${distances.length} pairs, on average ${number(mean, 3)} of the side`, {
    x: { label: 'pose distance, fraction of the side', zero: true },
    y: { label: 'pairs', grid: true },
    marks: [
      Plot.rectY(
        distances,
        Plot.binX<Plot.RectYOptions>({ y: 'count' }, { x: 'distance', fill: 'var(--series-1)', thresholds: 20 }),
      ),
      Plot.ruleY([0]),
    ],
  });
};
