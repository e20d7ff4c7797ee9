import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { detectionPlot, lossPlot, meanLossPerT, movingMean, thin } from '../../../orchestrator/report/plots.ts';
import { reportData } from './fixture.ts';

const { steps } = reportData();
const parse = (markup: string) => parseHTML(`<body>${markup}</body>`).document;

describe('plots', () => {
  it('draws the loss with ΔL and L* as inline SVG, named for screen readers', () => {
    const svg = parse(lossPlot(steps, { delta_l: 0.012, lower_bound: 0.0107 }).markup).querySelector('svg');
    expect(svg?.getAttribute('role')).toBe('img');
    expect(svg?.getAttribute('aria-label')).toBe('Loss over 300 steps; ΔL is 0.012, L* is 0.0107');
    expect(svg?.querySelectorAll('circle')).toHaveLength(300);
    expect(svg?.textContent).toContain('ΔL');
    expect(svg?.textContent).toContain('L*');
  });

  it('draws a curve whose steps were not all finite, and one without levels', () => {
    const broken = steps.slice(0, 10).map((step, index) => ({ ...step, loss: index === 4 ? null : step.loss }));
    const svg = parse(lossPlot(broken, { delta_l: null, lower_bound: null }).markup).querySelector('svg');
    expect(svg?.querySelectorAll('circle')).toHaveLength(9);
    expect(svg?.textContent).not.toContain('ΔL');
  });

  it('takes colours from the page, so that light and dark both read well', () => {
    const { markup } = detectionPlot({ text_only: 0.5, primary: 0.75, secondary: 1 });
    expect(markup).toContain('var(--secondary)');
    expect(markup).toContain('currentColor');
  });

  it('averages the loss of each t', () => {
    const [first] = steps;
    if (first === undefined) throw new Error('no steps');
    const of = (t: number, loss: number | null) => ({ ...first, t, loss });
    expect(meanLossPerT([of(3, 1), of(1, 5), of(3, 2), of(3, null)])).toEqual([
      { t: 1, y: 5 },
      { t: 3, y: 1.5 },
    ]);
  });

  it('smooths over the last points and keeps the newest when thinning', () => {
    const points = [1, 2, 3, 4, 5].map(value => ({ x: value, y: value }));
    expect(movingMean(points, 2).map(({ y }) => y)).toEqual([1, 1.5, 2.5, 3.5, 4.5]);
    expect(thin([1, 2, 3, 4, 5], 3)).toEqual([1, 3, 5]);
    expect(thin([], 3)).toEqual([]);
  });
});
