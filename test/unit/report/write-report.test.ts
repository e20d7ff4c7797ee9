import { readFileSync } from 'node:fs';
import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { summarizeEvaluation } from '../../../orchestrator/report/summary.ts';
import { renderReport, writeReport } from '../../../orchestrator/report/write-report.ts';
import { evaluation, figure, reportData } from './fixture.ts';

const data = reportData();
const page = renderReport(data);
const { document } = parseHTML(page);

const cellsOf = (selector: string): string[][] =>
  [...document.querySelectorAll(`${selector} tbody tr`)].map(row =>
    [...row.children].map(cell => cell.querySelector('b')?.textContent ?? cell.textContent ?? ''),
  );

describe('the report', () => {
  it('is one file without any reference to the outside, and forbids them', () => {
    expect(page).not.toMatch(/(?:src|href|action|poster|data)\s*=\s*["']?(?:https?:)?\/\//i);
    expect(page).not.toMatch(/url\(|@import|<link|<script|<iframe|\son\w+=/i);
    const policy = document.querySelector('meta[http-equiv="Content-Security-Policy"]')?.getAttribute('content');
    expect(policy).toContain("default-src 'none'");
    const images = [...document.querySelectorAll('img, image')].map(
      image => image.getAttribute('src') ?? image.getAttribute('href') ?? '',
    );
    expect(images.length).toBeGreaterThan(100);
    expect(images.every(source => source.startsWith('data:image/png;base64,'))).toBe(true);
  });

  it('has every section, reached from the navigation, the verdict first', () => {
    const sections = [...document.querySelectorAll('main > section')].map(section => section.id);
    const links = [...document.querySelectorAll('nav a')].map(link => link.getAttribute('href')?.slice(1));
    expect(sections).toEqual(links);
    expect(sections[0]).toBe('verdict');
    expect(sections).toEqual(expect.arrayContaining(['figure', 'results', 'pairs', 'curves', 'audit', 'dataset']));
    expect(document.querySelectorAll('h1')).toHaveLength(1);
  });

  it('shows in its table what a hand computes', () => {
    const errors = [3, 3.5, 4, 4.5, 5, 5.5];
    const mean = errors.reduce((sum, error) => sum + error, 0) / 6;
    // Of the 24 text-only errors 12, 13, 14, 15, 16, 12 … the first four values occur five times, 16 four times.
    const textOnly = (5 * (12 + 13 + 14 + 15) + 4 * 16) / 24;
    expect(cellsOf('#results').slice(0, 4)).toEqual([
      ['Keypoint error, px (judge)', textOnly.toFixed(2), mean.toFixed(2), (mean * 0.6 + 0.1).toFixed(2)],
      [
        'Keypoint error, px (detector in the loss)',
        (textOnly - 0.5).toFixed(2),
        (mean - 0.5).toFixed(2),
        (mean * 0.6 - 0.4).toFixed(2),
      ],
      ['PCK@0.1 (judge)', '50.0 %', '100.0 %', '100.0 %'],
      ['Person found (judge)', '66.7 %', '100.0 %', '100.0 %'],
    ]);
    expect(cellsOf('#results')[4]).toEqual(['Scene drift (0 … 2)', '–', '0.041', '0.0515']);
  });

  it('escapes prompts, captions, sources and messages', () => {
    const evil = '<script>alert(1)</script>';
    const { evaluate } = data;
    const pairs = evaluate.pairs.map(pair => ({ ...pair, prompt: evil, pose: evil }));
    const text = renderReport(
      reportData({
        evaluate: { ...evaluate, pairs },
        figure: { ...figure, prompt: evil, pose: evil },
        rejected: [{ id: 1, source: evil, code: 'no_person', reason: evil }],
        samples: data.samples.map(sample => ({ ...sample, caption: evil, pose: evil })),
        warnings: [{ code: evil, message: evil }],
        provenance: { [evil]: evil },
        origins: { name: evil },
      }),
    );
    expect(text).not.toContain('<script');
    expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  });

  it('says in its first section when the secondary adapter is worse', () => {
    const errors = Array.from({ length: 24 }, (_, index) => 3 + (index % 4));
    const evaluate = evaluation(
      errors,
      errors.map(error => error + 1),
      0.09,
    );
    const worse = parseHTML(renderReport(reportData({ evaluate, summary: summarizeEvaluation(evaluate) }))).document;
    const verdict = worse.querySelector('#verdict')?.textContent;
    expect(verdict).toContain('The secondary adapter is not better');
    expect(verdict).toContain('The scene is not steadier');
  });

  it('names every picture and heads every table for screen readers', () => {
    for (const image of document.querySelectorAll('img')) expect(image.getAttribute('alt')).not.toBe('');
    for (const svg of document.querySelectorAll('td > svg, .plot > svg'))
      expect(svg.getAttribute('aria-label')).toBeTruthy();
    for (const table of document.querySelectorAll('table')) {
      expect(table.querySelectorAll('thead th[scope=col]').length).toBeGreaterThan(1);
      expect(table.querySelectorAll('tbody th[scope=row]').length).toBe(table.querySelectorAll('tbody tr').length);
    }
  });

  it('lists the configuration with origins, what was left out and the warnings', () => {
    expect(document.querySelector('#config')?.textContent).toContain('sample.yaml:1');
    expect(document.querySelector('#dataset')?.textContent).toContain('photos/sea.jpg');
    expect(document.querySelector('#warnings')?.textContent).toContain('3 timesteps lie outside the trained range');
    expect(document.querySelector('#provenance')?.textContent).toContain('fedcba9876543210');
    expect(document.querySelectorAll('#audit dt').length).toBe(11);
  });

  it('is written as report.html', async () => {
    const path = await writeReport(data, data.folders.figures);
    expect(path.endsWith('report.html')).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe(page);
  });
});
