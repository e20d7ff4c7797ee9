import { DOMParser } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { composeFigure, figureWidth } from '../../../orchestrator/report/figure3.ts';
import { svgToPng } from '../../../orchestrator/report/raster.ts';
import { figure, reportData } from './fixture.ts';

const { figures: dir } = reportData().folders;

const textsOf = (svg: string): string[] =>
  [...new DOMParser().parseFromString(svg, 'image/svg+xml').querySelectorAll('text')].map(
    text => text.textContent ?? '',
  );

/** Width and height as the header of a PNG holds them. */
const sizeOf = (png: Buffer): [number, number] => [png.readUInt32BE(16), png.readUInt32BE(20)];

describe('Fig. 3', () => {
  it('shows pose, (a), (b) and (c) under the prompt, each with its error or that no person is found', () => {
    expect(textsOf(composeFigure(figure, dir).svg)).toEqual([
      '“a girl, waving her left hand”',
      'pose',
      'waving her left hand',
      '(a) text only',
      'person not found',
      '(b) primary adapter',
      'keypoint error 3.4 px',
      '(c) secondary adapter',
      'keypoint error 1.6 px',
      'lines: the pose asked for; circles: the keypoints that the judge finds',
    ]);
  });

  it('draws 17 limbs on each of the three pictures, and 18 circles where the judge finds a person', () => {
    const document = new DOMParser().parseFromString(composeFigure(figure, dir).svg, 'image/svg+xml');
    // Each limb is drawn twice: its dark edge, then its colour.
    expect(document.querySelectorAll('line')).toHaveLength(3 * 17 * 2);
    expect(document.querySelectorAll('circle')).toHaveLength(2 * 18);
  });

  it('leaves out limbs without both ends', () => {
    const withoutNose = figure.target.map((point, index): typeof point => (index === 0 ? [0, 0, 0] : point));
    const svg = composeFigure({ ...figure, target: withoutNose }, dir).svg;
    expect(svg.match(/<line /g)).toHaveLength(3 * 14 * 2);
  });

  it('works without a secondary adapter', () => {
    const texts = textsOf(composeFigure({ ...figure, secondary: null }, dir).svg);
    expect(texts.some(text => text.startsWith('(c)'))).toBe(false);
    expect(texts).toContain('(b) primary adapter');
  });

  it('escapes the prompt and cuts one that does not fit', () => {
    const svg = composeFigure({ ...figure, prompt: `<script>&"' ${'long '.repeat(200)}` }, dir).svg;
    expect(svg).not.toContain('<script');
    expect(textsOf(svg).slice(0, 3).join(' ')).toMatch(/^“<script>&"' long .*…$/);
    expect(textsOf(svg)[3]).toBe('pose');
  });

  it('becomes a PNG fit for print, with text in the fonts that come along', () => {
    const { svg } = composeFigure(figure, dir);
    const png = svgToPng(svg, figureWidth);
    const [width, height] = sizeOf(png);
    expect(width).toBe(2100);
    expect(height).toBeGreaterThan(600);
    expect(svgToPng(svg.replaceAll(/<text[\s\S]*?<\/text>/g, ''), figureWidth)).not.toEqual(png);
  });

  it('reports a picture that is not there as bad_image', () => {
    expect(() => composeFigure({ ...figure, control: 'nowhere.png' }, dir)).toThrow(
      expect.objectContaining({ code: 'bad_image' }),
    );
  });
});
