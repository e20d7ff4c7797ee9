import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import {
  detectionByTPlot,
  detectionPlot,
  gradientsPlot,
  lossPlot,
  meanLossPerT,
  movingMean,
  thin,
  validationPlot,
} from '../../../orchestrator/report/plots.ts';
import { stepEvent, visitAt } from '../commands/step-event.ts';
import { gradients, measured, validations } from './audit-fixture.ts';
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
    const broken = steps.slice(0, 10).map((step, index) => ({
      ...step,
      visits: step.visits.map(seen => ({ ...seen, loss: index === 4 ? null : seen.loss })),
    }));
    const svg = parse(lossPlot(broken, { delta_l: null, lower_bound: null }).markup).querySelector('svg');
    expect(svg?.querySelectorAll('circle')).toHaveLength(9);
    expect(svg?.textContent).not.toContain('ΔL');
  });

  it('takes colours from the page, so that light and dark both read well', () => {
    const { markup } = detectionPlot({ text_only: 0.5, primary: 0.75, secondary: 1 });
    expect(markup).toContain('var(--secondary)');
    expect(markup).toContain('currentColor');
  });

  it('draws one line of cosines for each t, named at its last measured step (audit, point 7)', () => {
    const svg = parse(gradientsPlot(gradients).markup).querySelector('svg');
    expect(svg?.getAttribute('aria-label')).toBe('Cosine of the gradients of both sides of Eq. 33 at t = 1, 25, 50');
    const lines = [...(svg?.querySelectorAll('g[aria-label=line] path') ?? [])];
    expect(lines.map(line => line.getAttribute('stroke'))).toEqual([1, 2, 3].map(series => `var(--series-${series})`));
    // Four steps are measured; at the last one t = 50 has no cosine.
    const corners = lines.map(line => line.getAttribute('d')?.match(/[ML]/g)?.length);
    expect(corners).toEqual([4, 4, 3]);
    for (const name of ['t = 1', 't = 25', 't = 50']) expect(svg?.textContent).toContain(name);
  });

  it('draws one line of held-out values for each term that has some', () => {
    const svg = parse(validationPlot(validations).markup).querySelector('svg');
    expect(svg?.getAttribute('aria-label')).toBe('Loss terms on held-out pairs at 4 steps');
    const lines = [...(svg?.querySelectorAll('g[aria-label=line] path') ?? [])];
    // The scene term is 0 at step 0, where a logarithm has no place for it; the score difference has no values.
    expect(lines.map(line => line.getAttribute('d')?.match(/[ML]/g)?.length)).toEqual([4, 4, 3]);
  });

  it('draws an empty plot of gradients where none was measured', () => {
    const unmeasured = gradients.map(sides => ({ ...sides, cosine: null }));
    for (const given of [[], unmeasured]) {
      const { markup } = gradientsPlot(given);
      expect(markup).not.toMatch(/NaN|undefined/);
      expect(parse(markup).querySelectorAll('g[aria-label=line] path').length).toBe(0);
    }
  });

  it('draws how often a person is found at each t, for both routes on one scale (audit, point 10)', () => {
    const svg = parse(detectionByTPlot(measured.per_t).markup).querySelector('svg');
    expect(svg?.getAttribute('aria-label')).toBe('Share of images with a person at each of 50 t, routes A and B');
    const lines = [...(svg?.querySelectorAll('g[aria-label=line]') ?? [])];
    expect(lines.map(line => line.getAttribute('stroke'))).toEqual(['var(--primary)', 'var(--secondary)']);
    // At t = 50 the rates are 0.5 and 0.3: their heights above the axis stand 5 to 3.
    const ends = lines.map(line => Number(line.querySelector('path')?.getAttribute('d')?.split(',').at(-1)));
    const axis = 290 - 42;
    expect((axis - (ends[0] ?? 0)) / (axis - (ends[1] ?? 0))).toBeCloseTo(5 / 3, 2);
  });

  it('averages the loss of each t', () => {
    const of = (t: number, loss: number | null) => stepEvent(1, 1, 1, [visitAt(t, loss)]);
    expect(meanLossPerT([of(3, 1), of(1, 5), of(3, 2), of(3, null)])).toEqual([
      { t: 1, y: 5 },
      { t: 3, y: 1.5 },
    ]);
  });

  it('takes each t of a step that visits them all for itself', () => {
    const whole = (step: number, losses: number[]) =>
      stepEvent(
        step,
        1,
        step,
        losses.map((loss, index) => visitAt(losses.length - index, loss)),
      );
    const trajectories = [whole(1, [4, 2]), whole(2, [6, 4])];
    expect(meanLossPerT(trajectories)).toEqual([
      { t: 1, y: 3 },
      { t: 2, y: 5 },
    ]);
    const svg = parse(lossPlot(trajectories, { delta_l: null, lower_bound: null }).markup).querySelector('svg');
    expect(svg?.querySelectorAll('circle')).toHaveLength(4);
  });

  it('smooths over the last points and keeps the newest when thinning', () => {
    const points = [1, 2, 3, 4, 5].map(value => ({ x: value, y: value }));
    expect(movingMean(points, 2).map(({ y }) => y)).toEqual([1, 1.5, 2.5, 3.5, 4.5]);
    expect(thin([1, 2, 3, 4, 5], 3)).toEqual([1, 3, 5]);
    expect(thin([], 3)).toEqual([]);
  });
});
