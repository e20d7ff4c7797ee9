import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gitState } from '../../../orchestrator/processes/git.ts';

let folder: string;
const git = (...args: string[]): string => execFileSync('git', args, { cwd: folder, encoding: 'utf8' });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'posetwin-git-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('gitState', () => {
  it('is null outside a repository and before the first commit', async () => {
    expect(await gitState(folder)).toBeNull();
    git('init', '--quiet');
    expect(await gitState(folder)).toBeNull();
  });

  it('names the commit and whether anything differs from it', async () => {
    git('init', '--quiet');
    const author = ['-c', 'user.name=Nobody', '-c', 'user.email=nobody@example.org'];
    git(...author, 'commit', '--quiet', '--allow-empty', '-m', 'first');
    expect(await gitState(folder)).toEqual({ commit: git('rev-parse', 'HEAD').trim(), dirty: false });
    writeFileSync(join(folder, 'new.txt'), 'new');
    expect(await gitState(folder)).toMatchObject({ dirty: true });
  });
});
