import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadExperiment } from '../../../orchestrator/config/load.ts';
import { experimentOf, makeWorkspace } from './workspace.ts';

const workspace = makeWorkspace();
afterAll(() => workspace.remove());
workspace.write({ 'tables/poses.npz': '', 'coco/images/1.jpg': '', 'coco/people.json': '', 'shards/0.tar': '' });

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

  it('of kind webdataset is a shard or a folder of them', () => {
    expect(messagesOf('kind: webdataset, path: shards')).toEqual([]);
    expect(messagesOf('kind: webdataset, path: shards/0.tar')).toEqual([]);
    expect(messagesOf('kind: webdataset, path: shards/1.tar')).toEqual([
      `missing_file there is no file or folder ${join(workspace.folder, 'shards', '1.tar')}`,
    ]);
  });

  it('of every other kind is a folder', () => {
    for (const kind of ['classes', 'imagefolder', 'mpii', 'datasets']) {
      expect(messagesOf(`kind: ${kind}, path: coco/images`)).toEqual([]);
      expect(messagesOf(`kind: ${kind}, path: shards/0.tar`)[0]).toMatch(/^missing_file .* is a file/);
    }
  });
});

describe('the annotations of a source', () => {
  it('of kind coco are files, relative to the YAML', () => {
    const text = 'kind: coco, path: coco/images, annotations: coco/people.json, captions: coco/people.json';
    const people = join(workspace.folder, 'coco', 'people.json');
    const [source] = experimentOf(written(text)).dataset.sources;
    expect(source).toMatchObject({
      path: join(workspace.folder, 'coco', 'images'),
      annotations: people,
      captions: people,
    });
  });

  it('of kind coco are a missing_file each when they are not there', () => {
    const found = messagesOf('kind: coco, path: coco/images, annotations: people.json, captions: captions.json');
    expect(found).toEqual(
      ['people.json', 'captions.json'].map(name => `missing_file there is no file ${join(workspace.folder, name)}`),
    );
  });

  it('of kind mpii stay as they are written, relative to its folder', () => {
    const [source] = experimentOf(written('kind: mpii, path: coco, annotations: people.json')).dataset.sources;
    expect(source).toMatchObject({ path: join(workspace.folder, 'coco'), annotations: 'people.json' });
  });
});

describe('the path of a captioner', () => {
  const described = (path: string) =>
    workspace.write({
      'x.yaml': `name: x\ndataset:\n  sources: [{kind: folder, path: coco}]\n  captioner: {path: ${path}}\n`,
    });

  it('with a slash is a folder, relative to the YAML', () => {
    expect(experimentOf(described('./coco')).dataset.captioner?.path).toBe(join(workspace.folder, 'coco'));
    const result = loadExperiment(described('./vit'), { set: [] });
    expect(result.ok ? [] : result.diagnostics.map(({ code, path }) => [code, path])).toEqual([
      ['missing_file', 'dataset.captioner.path'],
    ]);
  });

  it('without a slash is a name, and stays one', () => {
    expect(experimentOf(described('vit')).dataset.captioner?.path).toBe('vit');
  });
});
