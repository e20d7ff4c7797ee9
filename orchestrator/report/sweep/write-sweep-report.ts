import { html } from '../html.ts';
import { type Chapter, renderPage, writePage } from '../page.ts';
import { countOutcomes, type SweepComparison } from './comparison.ts';
import { axesSection, rankingSection, schedulesSection, tradeOffSection, trialsSection } from './sections.ts';

const isMeasured = ({ settings }: SweepComparison): boolean => settings.some(({ ranked }) => ranked !== null);

/** What has nothing to show before the first trained trial is left out. */
const chaptersOf = (comparison: SweepComparison): Chapter[] => [
  { id: 'ranking', name: 'Ranking', section: rankingSection(comparison) },
  ...(isMeasured(comparison)
    ? [
        { id: 'trade-off', name: 'Trade-off', section: tradeOffSection(comparison) },
        { id: 'axes', name: 'Axes', section: axesSection(comparison) },
      ]
    : []),
  { id: 'schedules', name: 'Schedules', section: schedulesSection(comparison) },
  { id: 'trials', name: 'Trials', section: trialsSection(comparison) },
];

/** The page of a sweep as text. It links the trials' own reports, and needs nothing else. */
export const renderSweepReport = (comparison: SweepComparison): string => {
  const { name, file, trials } = comparison;
  return renderPage({
    title: `${name} · sweep`,
    header: html`<header><h1>${name}</h1>
<p class="note">Sweep of <code>${file}</code>: ${trials.length} trials, ${countOutcomes(trials)}</p></header>`,
    chapters: chaptersOf(comparison),
  });
};

/** Writes `report.html` into the sweep's folder, whole or not at all, and gives its path. */
export const writeSweepReport = (comparison: SweepComparison, dir: string): Promise<string> =>
  writePage(renderSweepReport(comparison), dir);
