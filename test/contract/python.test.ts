import { execFileSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { locatePython } from '../../orchestrator/processes/python-setup.ts';
import { examples } from './examples.ts';

const Answers = z.array(z.strictObject({ model: z.string(), value: z.unknown(), refused: z.boolean() }));

let answers: z.output<typeof Answers>;
beforeAll(() => {
  const { python, pythonPath } = locatePython();
  const text = execFileSync(python, ['test/contract/read_examples.py'], {
    input: JSON.stringify(examples),
    encoding: 'utf8',
    env: { ...process.env, PYTHONPATH: pythonPath },
  });
  answers = Answers.parse(JSON.parse(text));
});

describe('pydantic', () => {
  it.each(examples.map(([name], i) => ({ name, i })))('reads and writes example $i, a $name, as zod does', ({ i }) => {
    expect(answers[i]?.value).toEqual(examples[i]?.[1]);
  });

  it.each(examples.map(([name], i) => ({ name, i })))(
    'refuses $i, a $name, with a key too many or too few, or NaN',
    ({ i }) => {
      expect(answers[i]?.refused).toBe(true);
    },
  );

  it('chooses the model of a union by its discriminator', () => {
    const chosen = answers.filter((_, i) =>
      ['Job', 'Item', 'Schedule', 'WorkerEvent'].includes(examples[i]?.[0] ?? ''),
    );
    expect(chosen.map(({ model }) => model)).toEqual(
      [
        ['IndexJob', 'AssembleJob', 'CacheJob', 'PrimaryJob', 'FeaturesJob', 'TrainJob', 'AuditJob'],
        ['BaselineJob', 'EvaluateJob', 'FigureJob', 'SampleJob'],
        ['ListSchedule', 'MiniItem', 'PictureItem', 'PosesItem', 'StartedEvent'],
        ['StepEvent', 'PrimaryStepEvent', 'GradientGateEvent', 'GradientsEvent', 'ValidationEvent', 'SamplesEvent'],
        ['LossScaleEvent', 'SmokeEvent', 'ErrorEvent', 'FinishedEvent'],
      ].flat(),
    );
  });
});
