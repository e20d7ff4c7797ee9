import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { originsOf } from '../../../orchestrator/config/origins.ts';
import { printExperiment } from '../../../orchestrator/config/print.ts';
import { Experiment, type ExperimentInput } from '../../../orchestrator/contracts/experiment.ts';
import { experimentOf, load, makeWorkspace } from './workspace.ts';

const workspace = makeWorkspace();
afterAll(() => workspace.remove());

const reload = (printed: string) => experimentOf(workspace.write({ 'printed.yaml': printed }));

describe('printExperiment', () => {
  it('gives YAML that loads to the same experiment', () => {
    const { experiment, origins } = load('experiments/quickstart.yaml', 'train.learning_rate=3e-4');
    expect(reload(printExperiment(experiment, origins))).toEqual(experiment);
  });

  it('says where each value comes from', () => {
    const file = workspace.write({ 'x.yaml': 'name: x\nseed: 1\n' });
    const { experiment, origins } = load(file, 'train.max_train_steps=7');
    const lines = printExperiment(experiment, origins).split('\n');
    expect(lines).toContain(`seed: 1 # ${file}:2`);
    expect(lines).toContain('  max_train_steps: 7 # --set train.max_train_steps=7');
    expect(lines).toContain('device: auto # default');
  });

  const text = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('null', '~', '1e3', 'yes', '# no', 'a: b', ' x ', 'a\nb\n'),
  );
  const fraction = fc.double({ min: 0, max: 1, noNaN: true });
  const schedule = fc.oneof(
    fc.record({
      kind: fc.constantFrom('scaled_linear' as const, 'linear' as const),
      num_steps: fc.integer({ min: 1, max: 1000 }),
      spacing: fc.constantFrom('trailing' as const, 'leading' as const, 'linspace' as const),
    }),
    fc.record({ kind: fc.constant('list' as const), values: fc.array(fraction, { minLength: 1 }) }),
  );
  const input: fc.Arbitrary<ExperimentInput> = fc.record({
    name: fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,63}$/),
    description: text,
    seed: fc.nat(),
    schedule,
    dataset: fc.record({
      sources: fc.array(
        fc.record({
          kind: fc.constant('mini' as const),
          weight: fc.double({ min: 0, minExcluded: true, noNaN: true, noDefaultInfinity: true }),
          poses: fc.option(fc.array(text, { minLength: 1 }), { nil: null }),
        }),
        { minLength: 1, maxLength: 3 },
      ),
    }),
    method: fc.record({
      q: fc.oneof(fc.constantFrom('expectation' as const, 'per-step' as const), fc.integer({ min: 1, max: 5000 })),
      normalization_bias: fc.tuple(fraction, fraction),
    }),
    figures: fc.record({ prompt: text.filter(prompt => prompt !== ''), seed: fc.nat() }),
  });

  it('keeps any valid experiment as it is', () => {
    fc.assert(
      fc.property(input, value => {
        const experiment = Experiment.parse(value);
        const tree = {
          type: 'map' as const,
          place: { source: { kind: 'file' as const, name: '', text: '', folder: '' }, offset: 0 },
          entries: new Map(),
        };
        expect(reload(printExperiment(experiment, originsOf(experiment, tree)))).toEqual(experiment);
      }),
      { numRuns: 60 },
    );
  });
});

describe('the shipped files', () => {
  it.each(['experiments/quickstart.yaml', 'configs/starter.yaml'])('%s is valid', file => {
    expect(experimentOf(file).name).not.toBe('');
  });

  it('experiments/photos.yaml is valid once it is told a folder', () => {
    const source = experimentOf('experiments/photos.yaml', 'dataset.sources.0.path=./test').dataset.sources[0];
    expect(source).toMatchObject({ kind: 'folder', path: join(process.cwd(), 'test') });
  });
});
