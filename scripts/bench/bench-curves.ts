/**
 * `npm run bench:curves`: step time and memory of Posetwin and of the plain loop against batch and image size, as a table
 * and as docs/images/speed.svg (`--out` for another place). Fails where results are missing, never because of a time.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { argv } from 'zx';
import { Bench, type Job, mean, onBank, table } from './processes.ts';

const out = argv.out ?? join(import.meta.dirname, '..', '..', 'docs', 'images', 'speed.svg');
const batches = [2, 4, 8, 16];
const sizes = [64, 96, 128];
const SIZE = 64;
const BATCH = 4;
/** t that are visited: a cycle, and so a bank, of so many steps. */
const CYCLE = 3;

interface Point {
  batch: number;
  size: number;
  loop: string;
  step_ms: number;
  peak_mb: number;
}

const sized = (job: Job, batch: number): Job => {
  const train = { ...job.spec.train, global_batch_size: batch };
  return onBank({ ...job, spec: { ...job.spec, train } }, 'noised', CYCLE);
};

const measure = async (bench: Bench, job: Job, batch: number, size: number): Promise<Point[]> => {
  const points: Point[] = [];
  for (const [name, loop] of Object.entries({ plain: 'together', Posetwin: 'engine' } as const)) {
    const { cpu_ms, peak_mb } = await bench.measure(sized(job, batch), loop);
    points.push({ batch, size, loop: name, step_ms: mean(cpu_ms), peak_mb });
  }
  return points;
};

const panel = (points: readonly Point[], x: 'batch' | 'size', y: 'step_ms' | 'peak_mb') => {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  return Plot.plot({
    document,
    width: 360,
    height: 240,
    marginLeft: 52,
    marginRight: 62,
    x: { label: x === 'batch' ? 'batch' : 'image side, px', ticks: [...new Set(points.map(point => point[x]))] },
    y: {
      label: y === 'step_ms' ? 'CPU time of a step, ms' : 'peak memory above the models, MB',
      grid: true,
      zero: true,
    },
    color: { domain: ['plain', 'Posetwin'], range: ['#b3541e', '#1f6f8b'] },
    marks: [
      Plot.lineY(points, { x, y, z: 'loop', stroke: 'loop', marker: 'dot', strokeWidth: 2 }),
      Plot.text(points, Plot.selectLast({ x, y, z: 'loop', text: 'loop', fill: 'loop', dx: 6, textAnchor: 'start' })),
    ],
  });
};

/** Four panels in one picture: time and memory over batch, and over image size. */
const draw = (byBatch: readonly Point[], bySize: readonly Point[]): string => {
  const panels = [
    panel(byBatch, 'batch', 'step_ms'),
    panel(byBatch, 'batch', 'peak_mb'),
    panel(bySize, 'size', 'step_ms'),
    panel(bySize, 'size', 'peak_mb'),
  ];
  const placed = panels.map((svg, index) => {
    svg.setAttribute('x', String((index % 2) * 370));
    svg.setAttribute('y', String(Math.floor(index / 2) * 250));
    return svg.outerHTML;
  });
  const ground = '<rect width="740" height="500" fill="white"/>';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 740 500" font-family="sans-serif" color="#222">${ground}${placed.join('')}</svg>\n`;
};

const show = (points: readonly Point[]): string => {
  const rows = points.map(({ loop, batch, size, step_ms, peak_mb }) => [
    loop,
    String(batch),
    `${size} px`,
    `${step_ms.toFixed(0)} ms`,
    `${peak_mb.toFixed(0)} MB`,
  ]);
  return table([['loop', 'batch', 'image', 'CPU time a step', 'peak memory'], ...rows]);
};

const bench = await Bench.open();
const bySize: Point[] = [];
const byBatch: Point[] = [];
for (const size of sizes) {
  const { job } = await bench.orchestrate(`dataset.image_size=${size}`, 'train.max_train_steps=1');
  bySize.push(...(await measure(bench, job, BATCH, size)));
  if (size !== SIZE) continue;
  for (const batch of batches.filter(count => count !== BATCH))
    byBatch.push(...(await measure(bench, job, batch, size)));
}
byBatch.push(...bySize.filter(({ size }) => size === SIZE));
byBatch.sort((a, b) => a.batch - b.batch);
await writeFile(out, draw(byBatch, bySize));
console.log(`batch, at ${SIZE} px\n${show(byBatch)}\n\nimage side, batch ${BATCH}\n${show(bySize)}\n\n${out}`);
