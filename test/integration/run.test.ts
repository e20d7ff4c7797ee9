import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { Manifest } from '../../orchestrator/contracts/assembled.ts';
import type { Split } from '../../orchestrator/contracts/dataset.ts';
import { openSet } from '../../orchestrator/dataset/open-set.ts';
import { readEvents, readJson } from '../../orchestrator/runs/index.ts';
import {
  type Ended,
  newFolder,
  posetwin,
  runFolder,
  stageFolder,
  statusOf,
  trainResult,
} from '../fixtures/small-run.ts';

const minutes = 60_000;

describe('a run from one YAML file', () => {
  let folder: string;
  let first: Ended;

  beforeAll(async () => {
    folder = await newFolder();
    first = await posetwin(folder, ['small.yaml']);
  }, 5 * minutes);

  it('goes from the dataset to the report', async () => {
    expect(first.output).toContain('report: runs/small/');
    expect(first.code).toBe(0);
    const run = await runFolder(folder);
    expect(await readdir(join(run, 'figures'))).toEqual(['fig3.png', 'fig3.svg']);
    expect((await readdir(run)).toSorted()).toEqual(
      expect.arrayContaining(['convergence.json', 'provenance.json', 'report.html', 'result.json', 'status.json']),
    );
    expect(await statusOf(folder)).toMatchObject({ status: 'done', code: null });
  });

  it('assembles a set closed under swap whose held-out poses are never trained on', async () => {
    const manifest = await readJson(join(await stageFolder(folder, 'assemble'), 'manifest.json'), Manifest);
    expect(manifest.num_samples).toEqual({ train: 8, held_out: 4 });
    expect(manifest.closed_under_swap).toBe(true);
    expect(manifest.poses.train.filter(pose => manifest.poses.held_out.includes(pose))).toEqual([]);
  });

  it('answers each boundary in the journal', async () => {
    const decisions = await readFile(join(await stageFolder(folder, 'train'), 'decisions.jsonl'), 'utf8');
    expect(
      decisions
        .trim()
        .split('\n')
        .map(line => JSON.parse(line).step),
    ).toEqual([4, 8]);
  });

  it('computes nothing and starts no Python when it is given again', async () => {
    // Asking this interpreter for anything would fail.
    const again = await posetwin(folder, ['small.yaml'], { env: { POSETWIN_PYTHON: '/no/python' } });
    expect(again.code).toBe(0);
    expect(again.output.match(/cached/g)).toHaveLength(9);
  });

  it('is the trial of a sweep over the same values, which is not run again', async () => {
    const env = { POSETWIN_PYTHON: '/no/python' };
    const command = ['small.yaml', '--sweep', 'seed=0', '--json'];
    const { code, output } = await posetwin(folder, command, { env });
    const [first] = output.split('\n').map(line => JSON.parse(line || 'null'));
    expect(await runFolder(folder)).toBe(join(folder, 'runs', 'small', first.trials[0].id));
    expect(output).not.toContain('"type":"trial"');
    expect(code).toBe(0);
  });

  it('is shown by --dry-run as cached, and with a changed setting as to do from there on, and why', async () => {
    const env = { POSETWIN_PYTHON: '/no/python' };
    const set = ['--set', 'train.learning_rate=0.001'];
    const plan = JSON.parse((await posetwin(folder, ['plan', 'small.yaml', '--json', ...set], { env })).output);
    const states = plan.stages.map(({ stage, state }: Record<string, string>) => `${stage} ${state}`);
    expect(states).toEqual([
      'assemble cached',
      'cache cached',
      'features cached',
      'train to do',
      'baseline cached',
      'evaluate to do',
      'audit to do',
      'verdict to do',
      'figures to do',
    ]);
    expect(plan.stages[3].why).toBe('train.learning_rate: 0.0001 -> 0.001');
    expect(plan.stages[3].command).toContain('posetwin.worker');
  });

  it('is listed by ls, and its store entries are no garbage', async () => {
    const { runs } = JSON.parse((await posetwin(folder, ['ls', '--json'])).output);
    expect(runs).toMatchObject([{ status: 'done', steps: 8 }]);
    const { garbage_bytes, total_bytes } = JSON.parse((await posetwin(folder, ['clean', '--json'])).output);
    expect(garbage_bytes).toBe(0);
    expect(total_bytes).toBeGreaterThan(0);
  });

  it(
    'killed and interrupted in training, goes on and ends with the weights of an unbroken run, bit for bit',
    async () => {
      const broken = await newFolder();
      for (const stage of ['assemble', 'cache', 'features']) {
        await cp(join(folder, '.posetwin/store', stage), join(broken, '.posetwin/store', stage), { recursive: true });
      }
      const killed = await posetwin(broken, ['small.yaml'], { env: { POSETWIN_TEST_EVENT: 'kill:after_step:3' } });
      expect(killed.code).toBe(3);
      expect(killed.output).toContain('worker_died');
      expect(await statusOf(broken)).toMatchObject({ status: 'failed', code: 'worker_died' });

      // As a scheduler does that wants the machine.
      const preempted = { interruptAt: '"type":"step"', signal: 'SIGTERM' } as const;
      const stopped = await posetwin(broken, ['small.yaml', '--json'], preempted);
      expect(stopped.code).toBe(130);
      expect(await statusOf(broken)).toMatchObject({ status: 'interrupted', code: 'preempted' });

      // Beyond training there is nothing to compare: Ctrl-C once more, as soon as it is done.
      expect((await posetwin(broken, ['small.yaml'], { interruptAt: 'train     done' })).code).toBe(130);
      expect(await statusOf(broken)).toMatchObject({ status: 'interrupted', code: 'cancelled' });
      expect(await trainResult(broken)).toEqual(await trainResult(folder));
      const events = await readEvents(join(await stageFolder(broken, 'train'), 'events.jsonl'));
      const resumed = events.flatMap(event => (event.type === 'started' ? [event.resumed_from] : []));
      expect(resumed.slice(0, 2)).toEqual([0, 2]);
    },
    5 * minutes,
  );
});

describe('a run on a table of poses', () => {
  // COCO's 17 landmarks of somebody who stands, and of five others who lean more and more.
  const standing = [
    [50, 10, 52, 8, 48, 8, 55, 9, 45, 9, 60, 25, 40, 25, 65, 40, 35, 40],
    [66, 55, 34, 55, 56, 55, 44, 55, 56, 75, 44, 75, 56, 95, 44, 95],
  ].flat();
  const header = standing.map((_, i) => `${i % 2 === 0 ? 'x' : 'y'}${Math.floor(i / 2)}`);
  const leaning = (much: number) =>
    standing.map((place, i) => (i % 2 === 0 ? place - much * (standing[i + 1] ?? 0) : place));
  const rows = [0, 0.1, 0.2, 0.3, 0.4, 0.5].map(leaning);
  const sources = ['--set', 'dataset.sources=[{kind: poses, path: poses.csv}]'];

  it(
    'draws its rows, stops where --until says, and tells a faulty row by line and column',
    async () => {
      const folder = await newFolder();
      await writeFile(join(folder, 'poses.csv'), [header, ...rows].map(row => `${row.join()}\n`).join(''));
      const stopped = await posetwin(folder, ['small.yaml', '--until', 'assemble', ...sources]);
      expect(stopped.output).toContain('stopped after assemble');
      expect(stopped.output).not.toContain('cache ');
      expect(stopped.code).toBe(0);
      expect(await statusOf(folder)).toMatchObject({ status: 'interrupted', code: null });
      const set = await openSet(await stageFolder(folder, 'assemble'));
      const samples = await set.samples(0, set.num_samples);
      const rowsOf = (split: Split) =>
        new Set(samples.filter(sample => sample.split === split).map(({ source }) => source));
      expect(samples).toHaveLength(12);
      expect([rowsOf('train').size, rowsOf('held_out').size]).toEqual([4, 2]);

      await writeFile(join(folder, 'poses.csv'), `${header.join()}\n${['left', ...standing.slice(1)].join()}\n`);
      const refused = await posetwin(folder, ['small.yaml', ...sources]);
      expect(refused.code).toBe(3);
      expect(refused.output).toMatch(/bad_keypoints .*poses\.csv:2: x0 is 'left'/);
    },
    2 * minutes,
  );
});

describe('a run that cannot be', () => {
  it('ends with 2 and a place in the file before any Python starts', async () => {
    const folder = await newFolder();
    await writeFile(join(folder, 'bad.yaml'), 'name: bad\nschedule:\n  kind: arithmetic\n');
    const { code, output } = await posetwin(folder, ['bad.yaml'], { env: { POSETWIN_PYTHON: '/no/python' } });
    expect(code).toBe(2);
    expect(output).toMatch(/bad\.yaml:2:\d+ singular_schedule/);
  });

  it('ends with 2 for wrong usage', async () => {
    expect((await posetwin(await newFolder(), ['run'])).code).toBe(2);
  });
});
