import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Sample } from '../../orchestrator/contracts/assembled.ts';
import { type OpenSet, openSet } from '../../orchestrator/dataset/open-set.ts';
import { locatePython } from '../../orchestrator/processes/python-setup.ts';
import { hashFile, readJson } from '../../orchestrator/runs/index.ts';
import { type Ended, posetwin, stageFolder } from '../fixtures/small-run.ts';

const minutes = 60_000;
const Truth = z.record(z.string(), z.array(z.array(z.number())));

const experiment = `
name: small
num_threads: 1
num_workers: 2
dataset:
  sources: [{kind: mpii, path: ./mpii, detector: mini}]
  resize: {kind: factor, factor: 2}
  filters: {people: one}
  pairs: other-class
  num_images: 40
  num_held_out: 8
  num_pairs: 30
evaluate: {num_pairs: 4}
`;

let folder: string;
let set: OpenSet;
let samples: Sample[];
let first: Ended;

const assembleIn = (store: string, env: Record<string, string> = {}): Promise<Ended> =>
  posetwin(folder, ['mpii.yaml', '--until', 'assemble'], { env: { POSETWIN_STORE: join(folder, store), ...env } });

const digests = async (store: string): Promise<Record<string, string>> => {
  const [key = ''] = (await readdir(join(folder, store, 'assemble'))).filter(name => !name.endsWith('.lock'));
  const root = join(folder, store, 'assemble', key);
  const names = ['samples.parquet', 'pairs.parquet', 'rejected.jsonl', 'manifest.json', 'shards/000000.tar'];
  return Object.fromEntries(await Promise.all(names.map(async name => [name, await hashFile(join(root, name))])));
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'posetwin-mpii-'));
  const { python, pythonPath } = locatePython();
  const env = { ...process.env, PYTHONPATH: pythonPath };
  execFileSync(python, ['test/fixtures/python/mpii_of_figures.py', join(folder, 'mpii')], { env });
  await writeFile(join(folder, 'mpii.yaml'), experiment);
  first = await posetwin(folder, ['mpii.yaml', '--until', 'assemble']);
  set = await openSet(await stageFolder(folder, 'assemble'));
  samples = await set.samples(0, set.num_samples);
}, 3 * minutes);

afterAll(() => rm(folder, { recursive: true, force: true }));

const nameOf = ({ source }: Sample): string => basename(source);

describe('MPII, from the .mat as published to pairs', () => {
  it('is assembled, and tells what is left out and why', () => {
    expect(first.code).toBe(0);
    expect(first.output).toContain('stopped after assemble');
    expect(samples).toHaveLength(24);
    // Frames of 12 videos, and four pictures of their own: a fifth of the groups is held out.
    expect(set.manifest.num_rejected).toEqual({
      bad_image: 1,
      bad_keypoints: 1,
      duplicate: 1,
      missing_file: 1,
      several_people: 1,
    });
  });

  it('has a picture and its copy in one split only, once', () => {
    const names = samples.map(nameOf);
    expect(names.filter(name => ['000003.jpg', 'twin.jpg'].includes(name))).toHaveLength(1);
  });

  it('has the joints where they were, halved with the picture, and no others', async () => {
    const truth = await readJson(join(folder, 'mpii', 'truth.json'), Truth);
    for (const sample of samples) {
      const given = truth[nameOf(sample)] ?? [];
      const seen = sample.keypoints.map(([, , visibility]) => visibility > 0);
      expect(seen.slice(0, 14)).toEqual([false, ...Array(13).fill(true)]);
      expect(seen.slice(14)).toEqual([false, false, false, false]);
      for (const [joint, [x, y]] of sample.keypoints.entries()) {
        if (!seen[joint]) continue;
        expect(x).toBeCloseTo((given[joint]?.[0] ?? Number.NaN) / 2, 3);
        expect(y).toBeCloseTo((given[joint]?.[1] ?? Number.NaN) / 2, 3);
      }
    }
  });

  it('is captioned by its activities, and pairs two of them', async () => {
    const byId = new Map(samples.map(sample => [sample.id, sample]));
    expect(new Set(samples.map(({ caption }) => caption))).toEqual(
      new Set(['a person, yoga, power', 'a person, cricket, batting', 'a person, walking']),
    );
    const couples = await set.couples('train', 0, await set.numCouples('train'));
    expect(couples).toHaveLength(30);
    for (const { a, b } of couples) expect(byId.get(a)?.class).not.toBe(byId.get(b)?.class);
  });

  it('keeps the frames of one video in one split', () => {
    const splits = new Map<number, Set<string>>();
    const frames = samples.filter(sample => /^\d/.test(nameOf(sample)));
    for (const sample of frames) {
      const video = Math.floor(Number(nameOf(sample).slice(0, 6)) / 2);
      splits.set(video, (splits.get(video) ?? new Set()).add(sample.split));
    }
    expect(splits.size).toBe(12);
    expect([...splits.values()].every(({ size }) => size === 1)).toBe(true);
    expect(new Set(samples.map(({ split }) => split)).size).toBe(2);
  });

  it(
    'gives the same bytes for the same seed, also when it is killed on the way',
    async () => {
      const killed = await assembleIn('killed', { POSETWIN_TEST_EVENT: 'kill:shard_named:0' });
      expect(killed.code).toBe(3);
      expect((await assembleIn('killed')).code).toBe(0);
      expect(await digests('killed')).toEqual(await digests('.posetwin/store'));
    },
    3 * minutes,
  );

  it(
    'is told by `posetwin dataset`, and exported for other tools',
    async () => {
      const told = await posetwin(folder, ['dataset', 'small', '--json']);
      expect(told.code).toBe(0);
      expect((await posetwin(folder, ['dataset', 'small', 'out', '--export', 'imagefolder'])).code).toBe(0);
      const lines = async (split: string) =>
        (await readFile(join(folder, 'out', split, 'metadata.jsonl'), 'utf8')).trim().split('\n').length;
      expect((await lines('train')) + (await lines('test'))).toBe(24);
    },
    2 * minutes,
  );
});
