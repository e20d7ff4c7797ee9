import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { Experiment } from '../../../orchestrator/contracts/experiment.ts';
import type { AtQ } from '../../../orchestrator/convergence/index.ts';
import type { AuditPoint, ReportData } from '../../../orchestrator/report/data.ts';
import { renderReport } from '../../../orchestrator/report/write-report.ts';
import { reportData } from './fixture.ts';

interface Root {
  querySelectorAll(selector: string): Iterable<{ textContent: string | null }>;
}

const pageOf = (data: ReportData) => parseHTML(renderReport(data)).document;
const textsOf = (root: Root | null | undefined, selector: string): string[] =>
  [...(root?.querySelectorAll(selector) ?? [])].map(element => element.textContent ?? '');

const data = reportData();
const document = pageOf(data);

const point = (number: number, verdict: AuditPoint['verdict'], numbers: AuditPoint['numbers'] = {}): AuditPoint => ({
  number,
  title: `Title ${number}`,
  verdict,
  sentence: `Sentence ${number} on \`method.q\`.`,
  numbers,
});
const points = [
  point(1, 'fails', { left: 28, by_t: [0.5, null, -0.25], none_t: [], unknown: null }),
  point(2, 'caution'),
  point(3, 'fine'),
  point(4, 'not_measured'),
  point(5, 'fails'),
];
const withPoints = (audit: AuditPoint[], at_q: AtQ[] = []) =>
  pageOf(reportData({ verdict: { ...data.verdict, audit, at_q } }));
const small = withPoints(points);

describe('the audit of the report', () => {
  it('shows all eleven points with title and verdict, in order', () => {
    const heads = textsOf(document, '#audit dt');
    expect(heads).toHaveLength(11);
    for (const [index, { title }] of data.verdict.audit.entries())
      expect(heads[index]).toContain(`${index + 1}. ${title}`);
    expect(textsOf(document, '#audit dd')).toHaveLength(11);
  });

  it('says each verdict by a word and a sign, not by a colour alone, and counts them', () => {
    expect(textsOf(small, '#audit .tag')).toEqual(['✗ fails', '△ caution', '✓ fine', '– not measured', '✗ fails']);
    // A screen reader is told the word alone.
    expect(textsOf(small, '#audit .tag [aria-hidden=true]')).toEqual(['✗ ', '△ ', '✓ ', '– ', '✗ ']);
    const classes = [...small.querySelectorAll('#audit .audit > div')].map(element => element.className);
    expect(classes).toEqual(['fails', 'caution', 'fine', 'not_measured', 'fails']);
    expect(textsOf(small, '#audit > p')).toContain('5 points: 2 × fails, 1 × caution, 1 × fine, 1 × not measured.');
  });

  it('keeps the numbers of a point under it: lists, none and what is not known', () => {
    const [first, second] = small.querySelectorAll('#audit dd');
    expect(textsOf(first, 'tbody th')).toEqual(['left', 'by_t', 'none_t', 'unknown']);
    expect(textsOf(first, 'tbody td')).toEqual(['28', '0.5, –, −0.25', 'none', '–']);
    expect(second?.querySelector('details') ?? null).toBeNull();
  });

  it('sets names between backticks as code', () => {
    expect(textsOf(small, '#audit dd > code')).toEqual(points.map(() => 'method.q'));
    expect(small.querySelector('#audit dd')?.textContent).toContain('Sentence 1 on method.q.');
  });

  it('escapes what stands in a point', () => {
    const evil = '<script>alert(1)</script> `<b>` & more';
    const page = renderReport(
      reportData({
        verdict: { ...data.verdict, audit: [{ ...point(1, 'fails', { [evil]: 1 }), title: evil, sentence: evil }] },
      }),
    );
    expect(page).not.toMatch(/<script|<b>`/);
    expect(page).toContain('<code>&lt;b&gt;</code>');
  });
});

describe('the table of Q readings', () => {
  const row = (reading: string, changes: Partial<AtQ> = {}): AtQ => ({
    reading,
    q: 30.3,
    achieved: 0.25,
    delta_l: 0.2,
    lower_bound: 0.19361,
    error_to_delta_l: 0.25,
    error_to_lower_bound: 0.2913,
    gap: 0.03195,
    bound_at_tolerance: 0.0641,
    ...changes,
  });
  const table = withPoints(points, [
    row('expectation'),
    row('printed-sum', { q: 22_300, gap: 0.0000448, bound_at_tolerance: 0.000186 }),
    row('per-step', { q: null, delta_l: null, gap: null, error_to_delta_l: null, bound_at_tolerance: null }),
  ]).querySelector('#audit .readings');

  it('has one row for each reading with loss, ΔL, L*, the errors, the gap and what the tolerance proves', () => {
    expect(textsOf(table, 'thead th')).toEqual([
      'Reading',
      'Q',
      'Loss',
      'ΔL',
      'off ΔL',
      'L*',
      'off L*',
      'L* below ΔL',
      'Proves',
    ]);
    expect(textsOf(table, 'tbody th')).toEqual(['expectation', 'printed-sum', 'per-step']);
    const rows = [...(table?.querySelectorAll('tbody tr') ?? [])].map(element => textsOf(element, 'td'));
    expect(rows[0]).toEqual(['30.3', '0.25', '0.2', '25.00 %', '0.1936', '29.13 %', '3.2 %', '6.4 %']);
    expect(rows[1]?.slice(-2)).toEqual(['0.0045 %', '0.019 %']);
    expect(rows[2]).toEqual(['–', '0.25', '–', '–', '0.1936', '29.13 %', '–', '–']);
    expect(table?.querySelector('caption')?.textContent).toContain('0.04 % above ΔL');
  });

  it('has every reading of the schedule in a whole report', () => {
    expect(textsOf(document, '#audit .readings tbody th')).toEqual(['expectation', 'printed-sum', 'per-step']);
  });
});

describe('the verdict of the report', () => {
  it('lists the points that fail, and leads to all of them', () => {
    expect(textsOf(small, '#verdict .broken li')).toEqual([
      'Title 1. Sentence 1 on method.q.',
      'Title 5. Sentence 5 on method.q.',
    ]);
    expect(small.querySelector('#verdict a[href="#audit"]')?.textContent).toBe('audit');
    const failing = data.verdict.audit.filter(({ verdict }) => verdict === 'fails').map(({ title }) => `${title}.`);
    expect(textsOf(document, '#verdict .broken strong')).toEqual(failing);
    expect(failing.length).toBeGreaterThan(2);
  });

  it('lists nothing where no point fails', () => {
    const calm = withPoints([point(1, 'fine'), point(2, 'caution')]);
    expect(calm.querySelector('#verdict .broken') ?? null).toBeNull();
    expect(calm.querySelector('#verdict')?.textContent).not.toContain('does not hold');
  });
});

describe('the curves of the report', () => {
  it('show both sides of Eq. 33 and the detection by t, with a key to the routes', () => {
    const titles = textsOf(document, '#curves h3');
    expect(titles).toEqual(expect.arrayContaining(['Both sides of Eq. 33', 'Person found by t']));
    expect(textsOf(document, '#curves .key')).toEqual(
      expect.arrayContaining(['route A (primary)', 'route B (secondary)']),
    );
  });

  it('put ΔL and L* of one t beside the losses of single t, also under `total: sum`', () => {
    const sum = Experiment.parse({ name: 'sample', method: { total: 'sum' } });
    const verdict = { ...data.verdict, delta_l: 50 * 0.012, lower_bound: 50 * 0.0107 };
    const label = (page: ReturnType<typeof pageOf>) => page.querySelector('#curves svg')?.getAttribute('aria-label');
    const summed = label(pageOf(reportData({ experiment: sum, verdict })));
    expect(summed).toBe('Loss over 300 steps; ΔL is 0.012, L* is 0.0107');
    expect(summed).toBe(label(document));
    // A t that is dropped is no part of the sum.
    const { schedule } = data;
    const trainable = schedule.trainable.map((_, index) => index >= 25);
    const dropped = reportData({ experiment: sum, schedule: { ...schedule, trainable }, verdict });
    expect(label(pageOf(dropped))).toBe('Loss over 300 steps; ΔL is 0.024, L* is 0.0214');
  });
});
