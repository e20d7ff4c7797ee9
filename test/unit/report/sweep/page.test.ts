import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { compareSweep } from '../../../../orchestrator/report/sweep/comparison.ts';
import { measuredOf } from '../../../../orchestrator/report/sweep/record.ts';
import { renderSweepReport } from '../../../../orchestrator/report/sweep/write-sweep-report.ts';
import { evaluation } from '../fixture.ts';
import { failed, record } from './records.ts';

const trialOf = (schedule: string, q: number, id: string) =>
  record({
    ...{ id, assignment: { schedule, 'method.q': q, seed: 0 }, report: `../${id}/report.html` },
    measured: measuredOf(evaluation([2, 4, 6], [1, 2, q])),
  });

const trials = [
  trialOf('linear', 3, 'aaaaaaaa'),
  trialOf('linear', 30, 'bbbbbbbb'),
  trialOf('patent-beta', 3, 'cccccccc'),
  failed('dead_gradient', {
    id: 'dddddddd',
    assignment: { schedule: 'patent-beta', 'method.q': 30, seed: 0 },
    singular: [
      { t: 1, quantity: 'Q', kind: 'infinite', handled: 'drop' },
      { t: 8, quantity: 'Q', kind: 'infinite', handled: 'drop' },
    ],
  }),
];
const page = renderSweepReport(compareSweep({ name: 'x', file: '/x.yaml' }, trials, 'keypoint_error_px'));
const { document } = parseHTML(page);
const textOf = (selector: string) => document.querySelector(selector)?.textContent ?? '';

describe('the page of a sweep', () => {
  it('is one file that opens offline', () => {
    expect(page).not.toMatch(/(?:src|href|action|poster|data)\s*=\s*["']?(?:https?:)?\/\//i);
    expect(page).not.toMatch(/url\(|@import|<link|<script|<iframe|\son\w+=/i);
    const policy = document.querySelector('meta[http-equiv="Content-Security-Policy"]')?.getAttribute('content');
    expect(policy).toContain("default-src 'none'");
  });

  it('has every section, reached from the navigation', () => {
    const sections = [...document.querySelectorAll('main > section')].map(section => section.id);
    const links = [...document.querySelectorAll('nav a')].map(link => link.getAttribute('href')?.slice(1));
    expect(sections).toEqual(['ranking', 'trade-off', 'axes', 'schedules', 'trials']);
    expect(links).toEqual(sections);
  });

  it('links the report of every trial that has one', () => {
    const links = [...document.querySelectorAll('#trials a')].map(link => link.getAttribute('href'));
    expect(links).toEqual(['aaaaaaaa', 'bbbbbbbb', 'cccccccc'].map(id => `../${id}/report.html`));
  });

  it('shows what could not be trained, and its singular steps', () => {
    expect(textOf('#ranking')).toContain('no gradient');
    expect(textOf('#schedules')).toContain('t 1, 8 (Q infinite: drop)');
    expect(document.querySelectorAll('#trials tbody tr')).toHaveLength(4);
  });

  it('draws error and drift over the two axes, with numbers that a hand computes', () => {
    const maps = [...document.querySelectorAll('#axes .plots svg')].map(svg => svg.getAttribute('aria-label'));
    // Errors of 1, 2 and q: means 2 and 11.
    expect(maps[0]).toBe(
      'Mean keypoint error in px by schedule and method.q. linear, 3: 2; linear, 30: 11; patent-beta, 3: 2',
    );
    expect(maps).toHaveLength(2);
  });

  it('sets each setting beside the primary, which stands at (1, 1)', () => {
    const label = document.querySelector('#trade-off svg')?.getAttribute('aria-label');
    // Means of 2 and of 11 over the primary's 4.
    expect(label).toMatch(/1: drift [\d.]+, error 0\.5; 2: drift [\d.]+, error 0\.5; 3: drift [\d.]+, error 2\.75/);
  });

  it('is made before anything has been trained, and escapes what it shows', () => {
    const evil = '<script>alert(1)</script>';
    const only = [failed('dead_gradient', { assignment: { schedule: evil } })];
    const text = renderSweepReport(compareSweep({ name: 'x', file: evil }, only, 'keypoint_error_px'));
    expect(text).not.toContain('<script');
    expect(text).toContain('no gradient');
  });
});
