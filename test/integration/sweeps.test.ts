/** Two trials of the mini stack that share their set: what is shared is computed once, whatever is killed meanwhile. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { listTagged } from '../../orchestrator/processes/process-table.ts';
import { writeJson, writeText } from '../../orchestrator/runs/index.ts';
import { newFolder, posetwin } from '../fixtures/small-run.ts';

const minutes = 60_000;
const MARK = 'POSETWIN_TEST_MARK';
const settings = ['sweep.slots=2', 'train.max_train_steps=2'].flatMap(setting => ['--set', setting]);
const sweep = ['small.yaml', '--sweep', 'train.learning_rate=1e-4,3e-4', ...settings];
const command = [...sweep, '--until', 'cache'];

let folder: string;
beforeAll(async () => {
  folder = await newFolder();
});

/** What both trials have printed so far, of all attempts. */
const printed = async (): Promise<string> => {
  const logs = join(folder, 'runs/small/sweep/logs');
  const names = await readdir(logs).catch(() => []);
  return (await Promise.all(names.map(name => readFile(join(logs, name), 'utf8')))).join('');
};
const countOf = (text: string, pattern: RegExp): number => [...text.matchAll(pattern)].length;

/** The command, given `signal` once its trials have printed this. */
const endedBy = async (signal: NodeJS.Signals, text: string, mark: string): Promise<ChildProcess> => {
  const args = ['--import', import.meta.resolve('tsx'), resolve('orchestrator/run.ts'), ...command];
  const child = spawn(process.execPath, args, { cwd: folder, env: { ...process.env, [MARK]: mark }, stdio: 'ignore' });
  const exit = once(child, 'exit');
  await vi.waitUntil(async () => (await printed()).includes(text), { timeout: 2 * minutes, interval: 50 });
  child.kill(signal);
  await exit;
  return child;
};

const expectNoneAlive = async (mark: string): Promise<void> => {
  const deadline = Date.now() + 10_000;
  while (listTagged(mark, MARK).length > 0 && Date.now() < deadline) await delay(20);
  expect(listTagged(mark, MARK)).toEqual([]);
};

const status = async () => JSON.parse((await posetwin(folder, ['status', 'small', '--json'])).output);

describe('a sweep of two trials that share their set', () => {
  it(
    'leaves nothing at work when it is killed',
    async () => {
      const mark = randomUUID();
      await endedBy('SIGKILL', 'assemble  started', mark);
      await expectNoneAlive(mark);
      const { trials } = await status();
      expect(trials.map(({ state }: { state: string }) => state)).not.toContain('running');
    },
    5 * minutes,
  );

  it(
    'goes on with the same command, and stops with all saved at Ctrl-C',
    async () => {
      const mark = randomUUID();
      const { exitCode } = await endedBy('SIGINT', 'assemble  resumed', mark);
      expect(exitCode).toBe(130);
      await expectNoneAlive(mark);
      const { trials } = await status();
      expect(trials).toMatchObject([{ state: 'interrupted' }, { state: 'interrupted' }]);
      // One was at work; the other may not have come so far as to say more than its first attempt did.
      expect(trials.map(({ code }: { code: string | null }) => code)).toContain('cancelled');
    },
    5 * minutes,
  );

  it(
    'computes what is shared once in all',
    async () => {
      const { code, output } = await posetwin(folder, command);
      expect(output).toContain('2 trials, 20 stages, 16 of them different');
      expect(code).toBe(0);
      const text = await printed();
      expect(countOf(text, /^assemble +done/gm)).toBe(1);
      expect(countOf(text, /^cache +done/gm)).toBe(1);
      // Whichever trial came second had to wait, or found it there.
      expect(countOf(text, /^(assemble|cache) +cached/gm)).toBeGreaterThanOrEqual(2);
      expect(await readdir(join(folder, '.posetwin/store/assemble'))).toHaveLength(1);
    },
    5 * minutes,
  );
});

describe('a sweep with a rule for early stopping', () => {
  const few = ['max_train_steps=2', 'global_batch_size=1', 'validation={steps: 1, num_pairs: 1, num_timesteps: 1}'];
  const ruled = [
    ...['name=ruled', 'schedule.num_steps=2', 'convergence.decision_steps=1', ...few.map(text => `train.${text}`)],
    'sweep.early_stopping={rule: median, min_trials: 2}',
  ].flatMap(setting => ['--set', setting]);
  const given = ['small.yaml', '--sweep', 'train.learning_rate=1e-4,3e-4,1', ...ruled];

  /** Stands for a training that is done: its validation is all that the others ask for. */
  const train = async (key: string, target_pose: number): Promise<void> => {
    const training = join(folder, '.posetwin/store/train', key);
    const seen = { type: 'validation', time: 0, step: 1, num_pairs: 1, objective: 1, best: true };
    await writeText(join(training, 'events.jsonl'), `${JSON.stringify({ ...seen, terms: { target_pose } })}\n`);
    const facts = { finished: '', seconds: 0, code_digest: '' };
    await writeJson(join(training, 'stage.json'), { stage: 'train', key, version: 1, spec: {}, inputs: {}, ...facts });
  };
  const trialsOf = (output: string) => JSON.parse(output).trials;

  it(
    'cuts a trial that falls behind, with a checkpoint, and leaves its training unfinished',
    async () => {
      // What the keys of a set begin with is known once Python was asked for it.
      await posetwin(folder, ['small.yaml', '--until', 'assemble']);
      const trials = trialsOf((await posetwin(folder, ['plan', ...given, '--json'])).output);
      const keyOf = (index: number) =>
        trials[index].stages.find(({ stage }: { stage: string }) => stage === 'train').key;
      await train(keyOf(0), 0.001);
      await train(keyOf(1), 0.003);
      const { code, output } = await posetwin(folder, [...given, '--until', 'train']);
      expect(code).toBe(0);
      expect(output).toContain('cut at step 1: median');
      const last = trialsOf((await posetwin(folder, ['status', 'ruled', '--json'])).output).at(-1);
      // (0.001 + 0.003) / 2; a rate of 1 throws keypoints about by tenths of the frame.
      expect(last).toMatchObject({ state: 'cut', step: 1, cut: { step: 1, threshold: 0.002 } });
      expect(last.cut.value).toBeGreaterThan(0.01);
      const partial = join(folder, '.posetwin/store/train', `${keyOf(2)}.partial`);
      expect(await readdir(join(partial, 'checkpoints'))).toEqual(['step-000001']);
      // No answer either: whoever goes on is asked again.
      for (const file of ['result.json', 'decisions.jsonl']) expect(await readdir(partial)).not.toContain(file);
    },
    5 * minutes,
  );
});
