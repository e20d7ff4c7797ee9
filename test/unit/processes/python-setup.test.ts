import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type EnsurePythonOptions,
  ensurePython,
  type PythonSetup,
} from '../../../orchestrator/processes/python-setup.ts';

let folder: string;
let journal: string;
let lines: string[];

const source = readFileSync('test/fixtures/python/fake-python.cjs', 'utf8');

const putPython = (name: string): string => {
  const path = join(folder, 'path', name);
  writeFileSync(path, `#!${process.execPath}\n${source}`, { mode: 0o755 });
  return path;
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'posetwin-setup-'));
  journal = join(folder, 'journal');
  lines = [];
  mkdirSync(join(folder, 'path'));
  writeFileSync(join(folder, 'pyproject.toml'), '[project]\n');
  putPython('python3');
});
afterEach(() => rmSync(folder, { recursive: true }));

const setUp = (env: NodeJS.ProcessEnv = {}, options: EnsurePythonOptions = {}): Promise<PythonSetup> =>
  ensurePython({
    project_dir: folder,
    env: { PATH: join(folder, 'path'), FAKE_JOURNAL: journal, ...env },
    onProgress: line => lines.push(line),
    needed_bytes: 0,
    ...options,
  });

const installs = (): number => (existsSync(journal) ? readFileSync(journal, 'utf8').trim().split('\n').length : 0);

describe('ensurePython', () => {
  it('makes .venv, says so, and the size and time at the end', async () => {
    const made = await setUp();
    expect(made).toEqual({ python: join(folder, '.venv/bin/python'), pythonPath: join(folder, 'python') });
    expect(lines[0]).toContain('3.12.1');
    expect(lines).toContain('downloading torch-2.9.0-cp312-linux.whl (180.2 MB)');
    expect(lines.at(-1)).toMatch(/GB in \d+ s/);
    expect(existsSync(join(folder, '.venv.lock'))).toBe(false);
  });

  it('starts nothing when all is there, and installs again when pyproject.toml changes', async () => {
    await setUp();
    lines = [];
    await setUp({ PATH: '' });
    expect([lines, installs()]).toEqual([[], 1]);
    writeFileSync(join(folder, 'pyproject.toml'), '[project]\nname = "other"\n');
    await setUp();
    expect(installs()).toBe(2);
  });

  it('installs once when two commands start it at once', async () => {
    const both = await Promise.all([setUp(), setUp()]);
    expect(both[0]).toEqual(both[1]);
    expect(installs()).toBe(1);
    expect(lines.filter(line => line.startsWith('waiting'))).toHaveLength(1);
  });

  it('makes .venv anew when its interpreter does not run', async () => {
    mkdirSync(join(folder, '.venv/bin'), { recursive: true });
    writeFileSync(join(folder, '.venv/bin/python'), 'half written', { mode: 0o755 });
    await setUp();
    expect(installs()).toBe(1);
  });

  it('fails with no_python where there is none', async () => {
    await expect(setUp({ PATH: '' })).rejects.toMatchObject({ code: 'no_python', class: 'environment' });
  });

  it('fails with no_python naming the version when Python is too old', async () => {
    const failure = { code: 'no_python', message: expect.stringContaining('3.9.18') };
    await expect(setUp({ FAKE_VERSION: '3.9.18' })).rejects.toMatchObject(failure);
  });

  it('fails with no_venv and the package to install', async () => {
    const failure = { code: 'no_venv', hint: expect.stringContaining('python3-venv') };
    await expect(setUp({ FAKE_VENV: 'missing' })).rejects.toMatchObject(failure);
  });

  it('fails with disk_full before anything is downloaded', async () => {
    await expect(setUp({}, { needed_bytes: 1e18 })).rejects.toMatchObject({ code: 'disk_full' });
    expect(installs()).toBe(0);
  });

  it.each([
    ['fails', 'install_failed', 'No matching distribution'],
    ['offline', 'no_network', 'name resolution'],
    ['disk', 'disk_full', 'No space left'],
  ])(
    'fails when pip %s with %s, the tail of the log and where it is; the next one succeeds',
    async (pip, code, tail) => {
      const log = join(folder, '.venv/setup.log');
      const failure = { code, message: expect.stringContaining(tail), details: { log } };
      await expect(setUp({ FAKE_PIP: pip })).rejects.toMatchObject(failure);
      expect(readFileSync(log, 'utf8')).toContain(tail);
      await setUp();
      expect(installs()).toBe(2);
    },
  );

  it('ends with cancelled when it is interrupted; the next one goes on', async () => {
    const abort = new AbortController();
    const onProgress = (line: string): void => void (line.startsWith('downloading') && abort.abort());
    const interrupted = setUp({ FAKE_PIP: 'hangs' }, { signal: abort.signal, onProgress });
    await expect(interrupted).rejects.toMatchObject({ code: 'cancelled' });
    await setUp();
    expect(installs()).toBe(2);
  });
});

describe('POSETWIN_PYTHON', () => {
  it('is used as it is: nothing is installed', async () => {
    const python = putPython('mine');
    expect(await setUp({ POSETWIN_PYTHON: python })).toMatchObject({ python });
    expect([installs(), existsSync(join(folder, '.venv'))]).toEqual([0, false]);
  });

  it('fails with no_python when it does not run or is too old', async () => {
    await expect(setUp({ POSETWIN_PYTHON: '/no/such/python' })).rejects.toMatchObject({ code: 'no_python' });
    const old = { POSETWIN_PYTHON: putPython('old'), FAKE_VERSION: '3.8.2' };
    await expect(setUp(old)).rejects.toMatchObject({ code: 'no_python' });
  });

  it('fails with install_failed naming the packages it lacks', async () => {
    const bare = { POSETWIN_PYTHON: putPython('bare'), FAKE_MISSING: 'torch, diffusers' };
    const failure = { code: 'install_failed', message: expect.stringContaining('torch, diffusers') };
    await expect(setUp(bare)).rejects.toMatchObject(failure);
  });
});
