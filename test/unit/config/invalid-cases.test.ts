import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatDiagnostics } from '../../../orchestrator/config/diagnostics.ts';
import { loadExperiment } from '../../../orchestrator/config/load.ts';

const folder = join(import.meta.dirname, '..', '..', 'cases', 'invalid');
const cases = readdirSync(folder).filter(file => file.endsWith('.yaml'));

/** The values of the comment lines `# key: value` that open a case. */
const headers = (text: string, key: string): string[] =>
  [...text.matchAll(new RegExp(`^# ${key}: (.*)$`, 'gm'))].map(([, value = '']) => value);

const load = (file: string) => {
  const path = join(folder, file);
  const text = readFileSync(path, 'utf8');
  const result = loadExperiment(path, { set: headers(text, 'set') });
  return { expected: headers(text, 'expect'), diagnostics: result.ok ? [] : result.diagnostics };
};

/** `CODE line:col`, with the file in front of the line where it is another one. */
const summary = (file: string, found: ReturnType<typeof load>['diagnostics'][number]): string => {
  const name = found.file === '--set' ? '--set' : relative(folder, found.file);
  return `${found.code} ${name === file ? '' : `${name}:`}${found.line}:${found.column}`;
};

describe('a broken experiment', () => {
  it('comes in at least 25 kinds', () => {
    expect(cases.length).toBeGreaterThanOrEqual(25);
  });

  it.each(cases)('%s gives every error at its line and column', file => {
    const { expected, diagnostics } = load(file);
    expect(diagnostics.map(diagnostic => summary(file, diagnostic)).sort()).toEqual([...expected].sort());
  });

  it.each(cases)('%s is shown with a caret under the column', file => {
    const { diagnostics } = load(file);
    for (const diagnostic of diagnostics) {
      const [, excerpt = '', caret = ''] = formatDiagnostics([diagnostic]).split('\n');
      if (diagnostic.excerpt === '') continue;
      expect(excerpt.trim()).toBe(diagnostic.excerpt.trim());
      expect(caret.indexOf('^') - (excerpt.length - diagnostic.excerpt.length)).toBe(diagnostic.column - 1);
    }
  });
});
