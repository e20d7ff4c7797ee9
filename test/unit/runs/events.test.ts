import { appendFile, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DecisionJournal, lastSteps, readEvents } from '../../../orchestrator/runs/index.ts';
import { stepEvent, visitAt } from '../commands/step-event.ts';

const newFile = async (name: string) => join(await mkdtemp(join(tmpdir(), 'posetwin-events-')), name);

describe('events', () => {
  it('keep the last event of each step, in order: a resumed worker does some again', () => {
    const steps = [stepEvent(1, 0.5), stepEvent(2, 0.4), stepEvent(3, 0.3), stepEvent(2, 0.41), stepEvent(3, 0.31)];
    expect(lastSteps(steps).map(({ step, visits }) => [step, visits.map(({ loss }) => loss)])).toEqual([
      [1, [0.5]],
      [2, [0.41]],
      [3, [0.31]],
    ]);
  });

  it('keep every t of a step that visits them all', async () => {
    const visits = [3, 2, 1].map(t => visitAt(t, t / 10));
    const file = await newFile('events.jsonl');
    await writeFile(file, `${JSON.stringify(stepEvent(1, 0.2, 1, visits))}\n`);
    expect(lastSteps(await readEvents(file))).toMatchObject([{ step: 1, visits }]);
  });

  it('refuse a step that visits no t (corrupt_file)', async () => {
    const file = await newFile('events.jsonl');
    await writeFile(file, `${JSON.stringify(stepEvent(1, 0.2, 1, []))}\n`);
    await expect(readEvents(file)).rejects.toMatchObject({ code: 'corrupt_file', details: { line: 1 } });
  });

  it('are told apart by their type: steps of the primary are no steps of the secondary', () => {
    const primary = { type: 'primary_step', time: 1, step: 9, t: 3, primary_noise: 0.2, grad_norm: 1 } as const;
    const events = [stepEvent(1, 0.5), { ...primary, learning_rate: 1e-4, duration_ms: 5 }];
    expect(lastSteps(events).map(({ step }) => step)).toEqual([1]);
  });

  it('leave out a last line that a crash cut off, and name the line of a broken one with corrupt_file', async () => {
    const file = await newFile('events.jsonl');
    await writeFile(file, `${JSON.stringify(stepEvent(1, 0.5))}\n{"type":"st`);
    expect(await readEvents(file)).toHaveLength(1);
    await appendFile(file, '\n');
    await expect(readEvents(file)).rejects.toMatchObject({ code: 'corrupt_file', details: { line: 2 } });
  });
});

describe('the journal of decisions', () => {
  it('gives a journalled answer again and never decides twice', async () => {
    const journal = new DecisionJournal(await newFile('decisions.jsonl'));
    const first = await journal.answer(50, () => ({ decision: 'stop', reason: 'plateau' }));
    const again = await journal.answer(50, () => {
      throw new Error('decided anew');
    });
    expect(again).toEqual(first);
    await journal.answer(100, () => ({ decision: 'continue', reason: 'falling' }));
    expect((await new DecisionJournal(journal.file).read()).map(({ step }) => step)).toEqual([50, 100]);
  });
});
