import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { init } from '../../../orchestrator/commands/init.ts';
import { printConfig } from '../../../orchestrator/commands/print-config.ts';
import { validate } from '../../../orchestrator/commands/validate.ts';
import { experimentOf, makeWorkspace, type Workspace } from './workspace.ts';

let workspace: Workspace;
let out: string[];
let err: string[];
beforeEach(() => {
  workspace = makeWorkspace();
  [out, err] = [[], []];
  vi.spyOn(console, 'log').mockImplementation((text: string) => void out.push(text));
  vi.spyOn(console, 'error').mockImplementation((text: string) => void err.push(text));
});
afterEach(() => {
  vi.restoreAllMocks();
  workspace.remove();
});

describe('validate', () => {
  it('answers 0 for valid files and 2 when one is not, and goes on after it', async () => {
    const good = workspace.write({ 'good.yaml': 'name: good\n' });
    const bad = workspace.write({ 'bad.yaml': 'name: bad\nsede: 1\n' });
    expect(await validate([good], { set: [], sweep: [], json: false })).toBe(0);
    expect(await validate([bad, good], { set: [], sweep: [], json: false })).toBe(2);
    expect(out).toEqual([`${good}: valid`, `${good}: valid`]);
    expect(err.join('\n')).toContain(`${bad}:2:1 unknown_key`);
  });

  it('marks a singular schedule at its key', async () => {
    const file = workspace.write({ 'x.yaml': 'name: x\nschedule:\n  config: patent-literal\n  singular: error\n' });
    expect(await validate([file], { set: [], sweep: [], json: false })).toBe(2);
    expect(err.join('\n')).toMatch(/x\.yaml:\d+:\d+ singular_schedule/);
  });

  it('gives the diagnostics as JSON', async () => {
    const bad = workspace.write({ 'bad.yaml': 'name: bad\nsede: 1\n' });
    expect(await validate([bad], { set: [], sweep: [], json: true })).toBe(2);
    const report: unknown = JSON.parse(out.join(''));
    expect(report).toMatchObject({
      files: [{ ok: false, diagnostics: [{ code: 'unknown_key', line: 2, column: 1 }] }],
    });
  });
});

describe('print-config', () => {
  it('prints YAML with origins, or JSON', async () => {
    const file = workspace.write({ 'x.yaml': 'name: x\n' });
    expect(await printConfig(file, { set: ['seed=3'], json: false })).toBe(0);
    expect(out.join('\n')).toContain('seed: 3 # --set seed=3');
    out = [];
    expect(await printConfig(file, { set: [], json: true })).toBe(0);
    expect(JSON.parse(out.join(''))).toMatchObject({
      experiment: { name: 'x' },
      origins: { seed: { kind: 'default' } },
    });
  });

  it('answers 2 and the errors for a broken file', async () => {
    expect(await printConfig(workspace.write({ 'x.yaml': 'seed: 1\n' }), { set: [], json: false })).toBe(2);
    expect(err.join('\n')).toContain('missing_key');
  });
});

describe('init', () => {
  it('writes a valid starter named after its file, which editors know by its schema', async () => {
    const file = join(workspace.folder, 'Waving Hands.yaml');
    expect(await init(file)).toBe(0);
    expect(experimentOf(file).name).toBe('waving-hands');
    const [, schema = ''] = /\$schema=(\S+)/.exec(readFileSync(file, 'utf8')) ?? [];
    const title: unknown = JSON.parse(readFileSync(join(workspace.folder, schema), 'utf8')).title;
    expect(title).toBe('A Posetwin experiment');
  });

  it('adds .yaml to a bare name', async () => {
    await init(join(workspace.folder, 'mine'));
    expect(experimentOf(join(workspace.folder, 'mine.yaml')).name).toBe('mine');
  });

  it('never overwrites', async () => {
    const file = workspace.write({ 'x.yaml': 'mine' });
    await expect(init(file)).rejects.toMatchObject({ code: 'usage' });
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });
});
