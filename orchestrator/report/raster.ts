import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Resvg } from '@resvg/resvg-js';

const fontFolder = join(dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json')), 'ttf');
const fontFiles = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf', 'DejaVuSans-Oblique.ttf'].map(name =>
  join(fontFolder, name),
);

/** The family to name in every SVG that is turned into a PNG; browsers without it fall back to what follows. */
export const fontFamily = 'DejaVu Sans, Verdana, sans-serif';

/**
 * Draws an SVG as PNG, `width` px wide (by default as wide as the SVG says). Only the fonts of the package
 * dejavu-fonts-ttf are used, so that the same SVG gives the same picture on every machine.
 */
export const svgToPng = (svg: string, width?: number): Buffer =>
  new Resvg(svg, {
    font: { loadSystemFonts: false, fontFiles, defaultFontFamily: 'DejaVu Sans', sansSerifFamily: 'DejaVu Sans' },
    fitTo: width === undefined ? { mode: 'original' } : { mode: 'width', value: width },
  })
    .render()
    .asPng();

/** A picture, given as data URI, as PNG of this size; undefined where it is damaged, which draws nothing at all. */
export const scalePicture = (href: string, width: number, height: number): Buffer | undefined => {
  const size = `width="${width}" height="${height}"`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" ${size}><image href="${href}" ${size}/></svg>`;
  const drawn = new Resvg(svg, { font: { loadSystemFonts: false } }).render();
  return drawn.pixels.every(value => value === 0) ? undefined : drawn.asPng();
};
