import type { ReportData } from './data.ts';
import { type Html, html } from './html.ts';
import { renderPage, writePage } from './page.ts';
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
  renderPage({
    title: `${data.experiment.name} · ${data.run_id}`,
    header: header(data),
    chapters: chapters.map(({ id, name, section }) => ({ id, name, section: section(data) })),
  });

/** Writes `report.html` into `dir`, whole or not at all, and gives its path. */
export const writeReport = (data: ReportData, dir: string): Promise<string> => writePage(renderReport(data), dir);
