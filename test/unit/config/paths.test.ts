import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadExperiment } from '../../../orchestrator/config/load.ts';
import { experimentOf, makeWorkspace } from './workspace.ts';

const workspace = makeWorkspace();
afterAll(() => workspace.remove());
workspace.write({ 'tables/poses.npz': '' });

const written = (source: string) => workspace.write({ 'x.yaml': `name: x\ndataset:\n  sources:\n    - {${source}}\n` });

const messagesOf = (source: string): string[] => {
  const result = loadExperiment(written(source), { set: [] });
  return result.ok ? [] : result.diagnostics.map(({ code, message }) => `${code} ${message}`);
};

describe('the path of a source', () => {
  const [folder, file] = [join(workspace.folder, 'tables'), join(workspace.folder, 'tables', 'poses.npz')];

  it('of kind poses is a file, relative to the YAML', () => {
    const [source] = experimentOf(written('kind: poses, path: tables/poses.npz')).dataset.sources;
    expect(source).toEqual({ kind: 'poses', weight: 1, path: file, layout: 'auto' });
  });

  it('of kind poses may come before the kind', () => {
    expect(messagesOf('path: tables/poses.npz, kind: poses')).toEqual([]);
  });

  it('is a missing_file when it is not there, or a folder where a file is needed, or the other way round', () => {
    expect(messagesOf('kind: poses, path: poses.npz')).toEqual([
      `missing_file there is no file ${join(workspace.folder, 'poses.npz')}`,
    ]);
    expect(messagesOf('kind: poses, path: tables')).toEqual([
      `missing_file ${folder} is a folder, and a file is needed`,
    ]);
    expect(messagesOf('kind: folder, path: tables/poses.npz')).toEqual([
      `missing_file ${file} is a file, and a folder is needed`,
    ]);
  });
});
