import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readJson } from '../../orchestrator/runs/index.ts';

const minutes = 60_000;

/** Readings far from the defaults, all at once, with a primary of its own. */
const readings = `
name: readings
num_threads: 1
schedule: {kind: arithmetic, of: betas, start: 0.0001, end: 0.6, num_steps: 3}
dataset: {num_images: 8, num_held_out: 4, pairs: all-combinations, captions: captioned-only, num_captioned: 5}
method:
  q: printed-sum
  objective: score+pose
  latents: {source: noised, state: a}
  image_at_t: state
  update: per-trajectory
  total: sum
  pose_residual: squared
  target: detected
  primary_weight: simple
  guidance_scale: 2
primary: {start: scratch, train: {max_train_steps: 2, global_batch_size: 2}}
train: {max_train_steps: 2, global_batch_size: 2}
evaluate: {num_pairs: 2, num_inference_steps: 2, batch_size: 8}
audit: {num_pairs: 2}
`;

const smoke = [
  'num_threads=1',
  'dataset.num_images=8',
  'dataset.num_held_out=4',
  'dataset.num_pairs=6',
  'evaluate.num_pairs=2',
  'evaluate.num_inference_steps=2',
  'audit.num_pairs=1',
  'train.max_train_steps=2',
].flatMap(setting => ['--set', setting]);

const posetwin = (folder: string, args: string[]) => {
  const command = ['--import', import.meta.resolve('tsx'), resolve('orchestrator/run.ts'), ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: folder, encoding: 'utf8' });
  return { code: status, output: `${stdout}${stderr}` };
};

const Convergence = z.looseObject({
  refused: z.boolean(),
  verdict: z.looseObject({ at_q: z.array(z.looseObject({ reading: z.string(), q: z.number().nullable() })) }),
  audit: z.array(z.looseObject({ point: z.int(), verdict: z.string(), sentence: z.string() })),
});

/** The only run of `name` in the folder. */
const resultOf = async (folder: string, name: string) => {
  const [id = ''] = await readdir(join(folder, 'runs', name));
  const run = join(folder, 'runs', name, id);
  const convergence = await readJson(join(run, 'convergence.json'), Convergence);
  return { run, convergence, report: await readFile(join(run, 'report.html'), 'utf8') };
};

const newFolder = () => mkdtemp(join(tmpdir(), 'posetwin-readings-'));

describe('the readings of the method, from one YAML file to the report', () => {
  it(
    'go together, with a primary adapter trained by Eq. 12 first',
    async () => {
      const folder = await newFolder();
      await writeFile(join(folder, 'readings.yaml'), readings);
      const { code, output } = posetwin(folder, ['readings.yaml']);
      expect({ code, output }).toMatchObject({ code: 0 });
      const { run, convergence } = await resultOf(folder, 'readings');
      const stages = z
        .record(z.string(), z.string())
        .parse(JSON.parse(await readFile(join(run, 'stages.json'), 'utf8')));
      expect(existsSync(join(run, stages.primary ?? '', 'adapter', 'config.json'))).toBe(true);
      expect(convergence.audit.map(({ point }) => point)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
      expect(convergence.audit.find(({ point }) => point === 5)?.sentence).toContain('weight 1 instead of w(t)');
    },
    4 * minutes,
  );

  it(
    'include the print at its word, which trains nothing and says why',
    async () => {
      const folder = await newFolder();
      const { code, output } = posetwin(folder, [resolve('experiments/patent-literal.yaml'), ...smoke]);
      expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('not trained') });
      const { convergence, report } = await resultOf(folder, 'patent-literal');
      expect(convergence.refused).toBe(true);
      const verdictOf = (point: number) => convergence.audit.find(found => found.point === point)?.verdict;
      expect([verdictOf(9), verdictOf(11)]).toEqual(['fails', 'fails']);
      expect(report).toContain('50 of 50 lie outside what the U-Net was trained on');
    },
    4 * minutes,
  );

  it(
    'include the print read as betas, with Q = 2,007',
    async () => {
      const folder = await newFolder();
      const { code, output } = posetwin(folder, [resolve('experiments/patent-beta.yaml'), ...smoke]);
      expect({ code, output }).toMatchObject({ code: 0 });
      const { convergence, report } = await resultOf(folder, 'patent-beta');
      expect(convergence.refused).toBe(false);
      const expectation = convergence.verdict.at_q.find(({ reading }) => reading === 'expectation');
      expect(expectation?.q).toBeCloseTo(2006.78, 2);
      expect(report).toContain('30 of 50 lie outside what the U-Net was trained on');
    },
    4 * minutes,
  );
});
