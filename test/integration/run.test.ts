import { spawn } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Manifest } from '../../orchestrator/contracts/dataset.ts';
import { TrainResult } from '../../orchestrator/contracts/results.ts';
import { readEvents, readJson } from '../../orchestrator/runs/index.ts';

const experiment = `
name: small
num_threads: 1
schedule: {kind: scaled_linear, num_steps: 8}
dataset: {num_images: 8, num_held_out: 4, num_pairs: 6}
train: {max_train_steps: 8, global_batch_size: 2, checkpointing_steps: 2}
convergence: {decision_steps: 4}
evaluate: {num_pairs: 2, num_inference_steps: 2, batch_size: 8}
audit: {num_pairs: 2}
`;
const minutes = 60_000;

interface Ended {
  code: number | null;
  output: string;
}

interface CommandOptions {
  env?: Record<string, string>;
  /** sends Ctrl-C once the output holds this text */
  interruptAt?: string;
}

/** One command line in `folder`, as a user gives it. */
const posetwin = (folder: string, args: string[], { env = {}, interruptAt }: CommandOptions = {}): Promise<Ended> =>
  new Promise(done => {
    const command = ['--import', import.meta.resolve('tsx'), resolve('orchestrator/run.ts'), ...args];
    const child = spawn(process.execPath, command, { cwd: folder, env: { ...process.env, ...env } });
    let output = '';
    const read = (text: Buffer) => {
      output += text;
      if (interruptAt === undefined || !output.includes(interruptAt)) return;
      interruptAt = undefined;
      child.kill('SIGINT');
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('close', code => done({ code, output }));
  });

const newFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'posetwin-run-'));
  await writeFile(join(folder, 'small.yaml'), experiment);
  return folder;
};

/** Where the only run of `folder` lies. */
const runFolder = async (folder: string): Promise<string> => {
  const ids = await readdir(join(folder, 'runs', 'small'));
  return join(folder, 'runs', 'small', ids[0] ?? '');
};

const stageFolder = async (folder: string, stage: string): Promise<string> => {
  const run = await runFolder(folder);
  const stages = await readJson(join(run, 'stages.json'), z.record(z.string(), z.string()));
  return join(run, stages[stage] ?? '');
};

const statusOf = async (folder: string) =>
  readJson(
    join(await runFolder(folder), 'status.json'),
    z.looseObject({ status: z.string(), code: z.string().nullable() }),
  );

const trainResult = async (folder: string) =>
  readJson(join(await stageFolder(folder, 'train'), 'result.json'), TrainResult);

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
    expect(again.output.match(/cached/g)).toHaveLength(8);
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

      const stopped = await posetwin(broken, ['small.yaml', '--json'], { interruptAt: '"type":"step"' });
      expect(stopped.code).toBe(130);
      expect(await statusOf(broken)).toMatchObject({ status: 'interrupted', code: 'cancelled' });

      // Beyond training there is nothing to compare: Ctrl-C once more, as soon as it is done.
      await posetwin(broken, ['small.yaml'], { interruptAt: 'train     done' });
      expect(await trainResult(broken)).toEqual(await trainResult(folder));
      const events = await readEvents(join(await stageFolder(broken, 'train'), 'events.jsonl'));
      const resumed = events.flatMap(event => (event.type === 'started' ? [event.resumed_from] : []));
      expect(resumed.slice(0, 2)).toEqual([0, 2]);
    },
    5 * minutes,
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
