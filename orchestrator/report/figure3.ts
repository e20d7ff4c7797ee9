import { join } from 'node:path';
import type { FigureResult, JudgedImage } from '../contracts/results.ts';
import { type Html, html } from './html.ts';
import { dataUri } from './images.ts';
import { fontFamily } from './raster.ts';
import { keypointCircles, skeletonLines } from './skeleton.ts';
import { shorten, wrap } from './text.ts';

const side = 250;
const gap = 22;
const margin = 24;
const lineHeight = 25;

/** Width in px of figures/fig3.png: a full page of 7 inches at 300 dpi. */
export const figureWidth = 2100;

interface Panel {
  name: string;
  detail: string;
  image: string;
  judged: JudgedImage | null;
}

/** "3.4 px", or "not found" where the judge sees no person. */
export const errorText = (image: JudgedImage): string =>
  image.detected ? `${image.keypoint_error_px.toFixed(1)} px` : 'not found';

const judgedPanel = (name: string, judged: JudgedImage): Panel => ({
  name,
  detail: judged.detected ? `keypoint error ${errorText(judged)}` : 'person not found',
  image: judged.image,
  judged,
});

const panelsOf = (result: FigureResult): Panel[] => [
  { name: 'pose', detail: shorten(result.pose, 30), image: result.control, judged: null },
  judgedPanel('(a) text only', result.text_only),
  judgedPanel('(b) primary adapter', result.primary),
  ...(result.secondary ? [judgedPanel('(c) secondary adapter', result.secondary)] : []),
];

const overlay = (result: FigureResult, judged: JudgedImage): Html => {
  const pixel = result.image_size / side;
  return html`${skeletonLines(result.target, 2.2 * pixel)}${judged.detected && keypointCircles(judged.keypoints, 3.3 * pixel)}`;
};

const drawPanel = (result: FigureResult, dir: string, panel: Panel, x: number, y: number): Html => {
  const centre = x + side / 2;
  const size = result.image_size;
  return html`<g>
<svg x="${x}" y="${y}" width="${side}" height="${side}" viewBox="0 0 ${size} ${size}"><image href="${dataUri(join(dir, panel.image))}" width="${size}" height="${size}" image-rendering="optimizeQuality"/>${panel.judged && overlay(result, panel.judged)}</svg>
<rect x="${x}" y="${y}" width="${side}" height="${side}" fill="none" stroke="#8a8a8a"/>
<text x="${centre}" y="${y + side + 24}" font-size="17" font-weight="bold">${panel.name}</text>
<text x="${centre}" y="${y + side + 46}" font-size="15">${panel.detail}</text>
</g>`;
};

const description = (panels: Panel[]): string => panels.map(panel => `${panel.name}: ${panel.detail}`).join('; ');

/**
 * Fig. 3 as SVG: the control map, then the pictures by text only (a), by the primary (b) and by the secondary adapter (c;
 * left out while `secondary` is null), with the target pose as lines and the judge's keypoints as circles.
 * `dir` is the folder that the pictures' names are relative to. Throws `bad_image` when one cannot be read.
 */
export const composeFigure = (result: FigureResult, dir: string): { svg: string } => {
  const panels = panelsOf(result);
  const width = 2 * margin + panels.length * side + (panels.length - 1) * gap;
  const title = wrap(`“${result.prompt}”`, Math.floor((width - 2 * margin) / 11), 3);
  const top = margin + title.length * lineHeight + 8;
  const height = top + side + 100;
  const drawn = panels.map((panel, index) => drawPanel(result, dir, panel, margin + index * (side + gap), top));
  const lines = title.map(
    (text, index) =>
      html`<text x="${width / 2}" y="${margin + 16 + index * lineHeight}" font-size="20" font-style="italic">${text}</text>`,
  );
  const svg = html`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="${fontFamily}" text-anchor="middle" fill="#111111">
<title>Fig. 3. ${result.prompt}</title>
<desc>${description(panels)}</desc>
<rect width="${width}" height="${height}" fill="#ffffff"/>
${lines}
${drawn}
<text x="${width / 2}" y="${height - 18}" font-size="13" fill="#555555">lines: the pose asked for; circles: the keypoints that the judge finds</text>
</svg>`;
  return { svg: svg.markup };
};
