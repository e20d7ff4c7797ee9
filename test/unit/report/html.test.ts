import { describe, expect, it } from 'vitest';
import { html, raw } from '../../../orchestrator/report/html.ts';
import { count, duration, number, percent, shorten, wrap } from '../../../orchestrator/report/text.ts';
import { flatten } from '../../../orchestrator/report/tree.ts';

describe('html', () => {
  it('escapes every value, in text and in attributes', () => {
    const evil = `"><script>alert('x')</script>&`;
    expect(html`<p title="${evil}">${evil}</p>`.markup).toBe(
      '<p title="&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;">&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;</p>',
    );
  });

  it('keeps markup, joins lists and leaves out what is absent', () => {
    const items = ['a', '<b>'].map(item => html`<li>${item}</li>`);
    expect(html`<ul>${items}${null}${undefined}${false}${raw('<hr>')}${0}</ul>`.markup).toBe(
      '<ul><li>a</li><li>&lt;b&gt;</li><hr>0</ul>',
    );
  });

  it('replaces control characters, which XML does not allow', () => {
    expect(html`${'a\u0000b\u001bc'}`.markup).toBe('a\ufffdb\ufffdc');
  });
});

describe('text', () => {
  it('writes numbers as people read them', () => {
    expect([0, 0.0123456, -12.5, 1234567, 0.00001234, null, Number.NaN].map(value => number(value))).toEqual([
      '0',
      '0.01235',
      '−12.5',
      '1.235e6',
      '1.234e-5',
      '–',
      '–',
    ]);
    expect([percent(0.9375), percent(null), percent(1, 0)]).toEqual(['93.8 %', '–', '100 %']);
    expect([duration(4.25), duration(125), duration(7199.9)]).toEqual(['4.3 s', '2 min 5 s', '2 h 0 min']);
    expect([count(1, 'picture'), count(1200, 'picture')]).toEqual(['1 picture', '1,200 pictures']);
  });

  it('shortens and wraps without breaking words where it can', () => {
    expect(shorten('waving her left hand', 12)).toBe('waving her…');
    expect(wrap('a girl, waving her left hand', 12, 3)).toEqual(['a girl,', 'waving her', 'left hand']);
    expect(wrap('a girl, waving her left hand', 12, 2)).toEqual(['a girl,', 'waving her…']);
  });
});

describe('flatten', () => {
  it('lists every value under its dotted path and keeps plain lists together', () => {
    expect(flatten({ a: { b: 1, c: [1, 2] }, sources: [{ kind: 'mini', poses: null }], empty: {} })).toEqual([
      { path: 'a.b', value: '1' },
      { path: 'a.c', value: '1, 2' },
      { path: 'sources.0.kind', value: 'mini' },
      { path: 'sources.0.poses', value: 'null' },
      { path: 'empty', value: '(none)' },
    ]);
  });
});
