import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Import rights, one way: a room may import from the lines below its own. Rooms on one line do not import each other. */
const typescriptRooms = [
  ['run'],
  ['commands'],
  ['stages'],
  ['executors', 'report'],
  ['runs'],
  ['plan', 'dataset', 'bridge'],
  ['processes'],
  ['convergence'],
  ['losses'],
  ['schedule'],
  ['config'],
  ['contracts'],
  ['errors'],
];
const pure = ['plan', 'convergence', 'losses', 'schedule', 'contracts', 'errors'];
const onlyImporter = { pythonia: 'bridge', execa: 'processes' };
const impureModules = /^node:(fs|child_process|process|os|net|http|worker_threads)|^execa$|^pythonia$|^zx$/;

const pythonRooms = [
  ['worker'],
  ['stages', 'facade', '__init__'],
  ['bridge'],
  ['training'],
  ['sampling'],
  ['metrics'],
  ['data'],
  ['mini'],
  ['adapters'],
  ['models'],
  ['control'],
  ['keypoints'],
  ['moments'],
  ['device', 'shipped', 'watchdog', 'search', 'supervise'],
  ['losses', 'schedule'],
  ['contracts'],
  ['errors'],
];

interface Import {
  file: string;
  from: string;
  to: string;
}

const sources = (root: string, extension: string): string[] =>
  readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith(extension) && !name.includes('_generated') && !name.includes('weights'))
    .map(name => join(root, name));

const roomOf = (root: string, path: string): string =>
  (relative(root, path).split(sep)[0] ?? '').replace(/\.(ts|py)$/, '');

const matches = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(match => match[1] ?? '');

const typescriptImports = (): Import[] => {
  const root = resolve('orchestrator');
  return sources(root, '.ts').flatMap(file =>
    matches(readFileSync(file, 'utf8'), /(?:from\s+|import\(|require\()'([^']+)'/g).map(target => ({
      file,
      from: roomOf(root, file),
      to: target.startsWith('.') ? roomOf(root, resolve(file, '..', target)) : target,
    })),
  );
};

const pythonImports = (): Import[] => {
  const root = resolve('python/posetwin');
  return sources(root, '.py').flatMap(file =>
    matches(
      readFileSync(file, 'utf8').replace(/from posetwin import (\w+)/g, 'from posetwin.$1 import it'),
      /^\s*(?:from|import) posetwin\.(\w+)/gm,
    ).map(to => ({ file, from: roomOf(root, file), to })),
  );
};

const levelOf = (rooms: string[][], room: string): number => rooms.findIndex(line => line.includes(room));

const breaches = (rooms: string[][], imports: Import[]): string[] =>
  imports
    .filter(({ from, to }) => from !== to && levelOf(rooms, to) >= 0)
    .filter(({ from, to }) => levelOf(rooms, from) < 0 || levelOf(rooms, to) <= levelOf(rooms, from))
    .map(({ file, from, to }) => `${relative('.', file)}: ${from} may not import ${to}`);

describe('rooms', () => {
  it('lets every TypeScript room import only from the rooms below it', () => {
    const imports = typescriptImports();
    expect(imports.length).toBeGreaterThan(50);
    expect(breaches(typescriptRooms, imports)).toEqual([]);
  });

  it('lets every Python room import only from the rooms below it', () => {
    const imports = pythonImports();
    expect(imports.length).toBeGreaterThan(50);
    expect(breaches(pythonRooms, imports)).toEqual([]);
  });

  it('keeps files, processes and clocks out of the pure rooms', () => {
    const impure = typescriptImports().filter(({ from, to }) => pure.includes(from) && impureModules.test(to));
    expect(impure).toEqual([]);
    const clocks = sources(resolve('orchestrator'), '.ts')
      .filter(file => pure.includes(roomOf(resolve('orchestrator'), file)))
      .filter(file => /Date\.now\(|new Date\(\)|Math\.random\(|process\.env/.test(readFileSync(file, 'utf8')));
    expect(clocks).toEqual([]);
  });

  it('imports pythonia in the bridge and execa in processes alone', () => {
    for (const [library, room] of Object.entries(onlyImporter)) {
      const importers = typescriptImports().filter(({ to }) => to === library);
      expect(new Set(importers.map(({ from }) => from))).toEqual(new Set([room]));
    }
  });

  it('lets losses and schedule import torch alone', () => {
    const files = [...sources(resolve('python/posetwin/losses'), '.py'), resolve('python/posetwin/schedule.py')];
    const allowed = /^(torch|posetwin\.(losses|schedule|errors)|__future__|math|collections\.abc|dataclasses|typing)/;
    for (const file of files) {
      const imported = matches(readFileSync(file, 'utf8'), /^(?:from|import) ([\w.]+)/gm);
      expect(imported.filter(name => !allowed.test(name))).toEqual([]);
    }
  });
});
