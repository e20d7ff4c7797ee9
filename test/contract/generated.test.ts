import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

describe('the generated files', () => {
  it('are what scripts/generate.ts makes of the contracts', () => {
    const run = () =>
      execFileSync('npx', ['tsx', 'scripts/generate.ts', '--check'], { encoding: 'utf8', stdio: 'pipe' });
    expect(run).not.toThrow();
  });

  it('give no field a default: those live in the zod schemas alone', () => {
    const models = readFileSync('python/posetwin/contracts/_generated.py', 'utf8');
    const fields = models.split('\n').filter(line => /^ {4}\w+: /.test(line));
    expect(fields.length).toBeGreaterThan(100);
    expect(fields.filter(line => / = |default/.test(line))).toEqual([]);
  });
});
