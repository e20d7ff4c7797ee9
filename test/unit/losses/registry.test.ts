import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, parse } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type LossName, lossSpecs } from '../../../orchestrator/losses/index.ts';

const names = Object.keys(lossSpecs) as LossName[];
const kebab = (name: string): string => name.replaceAll('_', '-');
const tablePath = 'docs/equations.md';

const pythonTerms = (): string[] => {
  const source = readFileSync('python/posetwin/losses/registry.py', 'utf8');
  const [, body = ''] = /^TERMS[^{]*\{([^}]*)\}/m.exec(source) ?? [];
  return [...body.matchAll(/"(\w+)":/g)].map(match => match[1] ?? '');
};

/** Paths in backticks of each row whose first cell is a term's name. */
const tableRows = (): Map<string, string[]> => {
  const rows = readFileSync(tablePath, 'utf8').matchAll(/^\| `(\w+)` \|(.*)$/gm);
  return new Map([...rows].map(([, name = '', cells = '']) => [name, pathsIn(cells)]));
};

const pathsIn = (text: string): string[] =>
  [...text.matchAll(/`([\w/.-]+\.(?:ts|py|json))`/g)].map(match => match[1] ?? '');

describe('the registry of loss terms', () => {
  it('has the same names, in the same order, in Python', () => {
    expect(pythonTerms()).toEqual(names);
  });

  it('has one file per term on each side, and one golden file', () => {
    for (const name of names) {
      expect(existsSync(join('orchestrator/losses', `${kebab(name)}.ts`)), name).toBe(true);
      expect(existsSync(join('python/posetwin/losses', `${name}.py`)), name).toBe(true);
      expect(lossSpecs[name].name).toBe(name);
    }
    const golden = readdirSync('test/golden/losses').filter(file => file.endsWith('.json'));
    expect(golden.map(file => parse(file).name).sort()).toEqual([...names].sort());
  });

  it('has a row in docs/equations.md for every term, with its files on both sides', () => {
    const rows = tableRows();
    expect([...rows.keys()].sort()).toEqual([...names].sort());
    for (const name of names) {
      expect(rows.get(name)).toContain(`orchestrator/losses/${kebab(name)}.ts`);
      expect(rows.get(name)).toContain(`python/posetwin/losses/${name}.py`);
    }
  });

  it('names in docs/equations.md only files that exist, and every reading of every term', () => {
    const text = readFileSync(tablePath, 'utf8');
    for (const path of pathsIn(text)) expect(existsSync(path), path).toBe(true);
    for (const name of names) for (const reading of lossSpecs[name].readings) expect(text).toContain(`\`${reading}\``);
  });
});
