/**
 * Two ranks under torchrun, one of which, or torchrun, or the orchestrator, is killed or hangs at a named moment of
 * python/posetwin/training/moments.py. Some cases run always; POSETWIN_FAULTS=all (npm run test:faults) runs all.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listTagged } from '../../orchestrator/processes/process-table.ts';
import { hashFile } from '../../orchestrator/runs/index.ts';
import { type Ended, newFolder, posetwin, stageFolder, statusOf, trainResult } from '../fixtures/small-run.ts';

const minutes = 60_000;
const MARK = 'POSETWIN_TEST_MARK';
const settings = ['train.nproc_per_node=2', 'train.max_train_steps=6', 'train.validation.steps=4'];
const command = ['small.yaml', ...settings.flatMap(setting => ['--set', setting])];

interface Fault {
  event: string;
  /** how the orchestrator ends: with 3 and these words, or by the kill */
  told: RegExp | null;
  always?: boolean;
}

const byKill = (who: string): RegExp => new RegExp(`worker_died ${who} .*SIGKILL`);
// With its stack, whose end is the function that does nothing more.
const noFurther = (moment: string): RegExp =>
  new RegExp(`timeout rank 1: got no further for .* ${moment}.*_do_nothing_more`, 's');
const noWord = /timeout rank 0: waited for other ranks .*no word from rank 1/;

/** One after the other in the same folder, each in the same command again: checkpoints after 2, 4 and 6 steps. */
const faults: Fault[] = [
  { event: 'kill:after_backward:1:1', told: byKill('rank 1:') },
  { event: 'kill_launcher:gradients_clipped:3', told: byKill('torchrun') },
  { event: 'kill_orchestrator:after_forward:3', told: null },
  { event: 'kill:after_step:3', told: byKill('rank 0:') },
  { event: 'hang:before_forward:3:1', told: noFurther('before_forward of step 3'), always: true },
  { event: 'freeze:before_forward:3:1', told: noWord },
  { event: 'kill:validation_batch:4:1', told: byKill('rank 1:') },
  { event: 'hang:validation_batch:4:1', told: noFurther('validation_batch of step 4') },
  { event: 'kill_orchestrator:boundary_asked:4', told: null },
  { event: 'kill:checkpoint_weights:4', told: byKill('rank 0:') },
  { event: 'kill_orchestrator:checkpoint_optimizer:4', told: null, always: true },
  { event: 'kill_launcher:checkpoint_sealed:4', told: byKill('torchrun') },
  { event: 'kill_orchestrator:checkpoint_renamed:4', told: null },
  { event: 'kill_orchestrator:adapter_written:6', told: null },
];
const chosen = faults.filter(({ always = false }) => always || process.env.POSETWIN_FAULTS === 'all');

/** What carries the mark is the orchestrator or was started by it, however indirectly. */
const expectNoneAlive = async (mark: string): Promise<void> => {
  const deadline = Date.now() + 10_000;
  while (listTagged(mark, MARK).length > 0 && Date.now() < deadline) await delay(20);
  expect(listTagged(mark, MARK)).toEqual([]);
};

const weightsOf = async (run: string): Promise<string> => {
  const folder = join(await stageFolder(run, 'train'), 'adapter');
  const files = (await readdir(folder)).filter(name => name.endsWith('.safetensors'));
  return (await Promise.all(files.map(name => hashFile(join(folder, name))))).join();
};

/** Up to the end of training: beyond it there is nothing to compare. */
const train = (folder: string): Promise<Ended> => posetwin(folder, command, { interruptAt: 'train     done' });

describe('a run of two ranks', () => {
  let whole: string;
  let broken: string;

  beforeAll(async () => {
    console.log(`${chosen.length} of ${faults.length} faults; npm run test:faults has all of them`);
    [whole, broken] = [await newFolder(), await newFolder()];
    await train(whole);
    // All but the training.
    for (const part of ['.posetwin', 'runs']) await cp(join(whole, part), join(broken, part), { recursive: true });
    await rm(join(broken, '.posetwin/store/train'), { recursive: true });
  }, 5 * minutes);
  afterAll(() => Promise.all([whole, broken].map(folder => rm(folder, { recursive: true }))));

  it.each(chosen)(
    'broken by $event says so, and leaves nothing alive or half done',
    async ({ event, told }) => {
      const mark = randomUUID();
      const env = { POSETWIN_TEST_EVENT: event, [MARK]: mark };
      const ended = await posetwin(broken, [...command, '--set', 'rank_timeout_s=15'], { env });
      await expectNoneAlive(mark);
      if (told === null) {
        expect(ended).toMatchObject({ code: null, signal: 'SIGKILL' });
      } else {
        expect(ended.output).toMatch(told);
        expect(ended.code).toBe(3);
        expect(await statusOf(broken)).toMatchObject({ status: 'failed' });
      }
      expect(existsSync(await stageFolder(broken, 'train'))).toBe(false);
    },
    3 * minutes,
  );

  it(
    'ends with the weights of an unbroken one, bit for bit, when the same command is given again',
    async () => {
      await train(broken);
      expect(await trainResult(broken)).toEqual(await trainResult(whole));
      const [left, right] = await Promise.all([broken, whole].map(weightsOf));
      expect(left).toBe(right);
    },
    3 * minutes,
  );
});
