import { readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReportData } from './data.ts';
import { type Html, html, raw } from './html.ts';
import {
  auditSection,
  configSection,
  datasetSection,
  provenanceSection,
  warningsSection,
} from './sections/appendix.ts';
import { curvesSection } from './sections/curves.ts';
import { figureSection, pairsSection, resultsSection } from './sections/results.ts';
import { verdictSection } from './sections/verdict.ts';

const style = readFileSync(new URL('style.css', import.meta.url), 'utf8');

// The page needs nothing but itself, and says so: no script, no request, pictures and styles from the page alone.
const policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

const chapters: { id: string; name: string; section: (data: ReportData) => Html }[] = [
  { id: 'verdict', name: 'Verdict', section: verdictSection },
  { id: 'figure', name: 'Figure 3', section: figureSection },
  { id: 'results', name: 'Held-out poses', section: resultsSection },
  { id: 'pairs', name: 'Pictures', section: pairsSection },
  { id: 'curves', name: 'Curves', section: curvesSection },
  { id: 'audit', name: 'Audit', section: auditSection },
  { id: 'dataset', name: 'Dataset', section: datasetSection },
  { id: 'config', name: 'Configuration', section: configSection },
  { id: 'provenance', name: 'Provenance', section: provenanceSection },
  { id: 'warnings', name: 'Warnings', section: warningsSection },
];

const header = ({ experiment, run_id, finished }: ReportData): Html =>
  html`<header><h1>${experiment.name}</h1>
${experiment.description !== '' && html`<p>${experiment.description}</p>`}
<p class="note">Run <code>${run_id}</code>, finished <time datetime="${finished}">${finished.slice(0, 16).replace('T', ' ')}</time></p></header>`;

/** The whole page as text; pictures are read from the folders in `data`. Throws `bad_image` when one cannot be read. */
export const renderReport = (data: ReportData): string =>
  html`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${data.experiment.name} · ${data.run_id}</title>
<style>${raw(style)}</style></head>
<body><a class="skip" href="#verdict">Skip to the verdict</a>
${header(data)}
<nav aria-label="Sections"><ul>${chapters.map(({ id, name }) => html`<li><a href="#${id}">${name}</a></li>`)}</ul></nav>
<main>
${chapters.map(({ section }) => section(data))}
</main></body></html>
`.markup;

/** Writes `report.html` into `dir`, whole or not at all, and gives its path. */
export const writeReport = async (data: ReportData, dir: string): Promise<string> => {
  const path = join(dir, 'report.html');
  await mkdir(dir, { recursive: true });
  await writeFile(`${path}.partial`, renderReport(data));
  await rename(`${path}.partial`, path);
  return path;
};
