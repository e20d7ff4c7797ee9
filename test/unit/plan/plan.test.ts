import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AssembleJob, CacheJob, EvaluateJob, FigureJob, TrainJob } from '../../../orchestrator/contracts/job.ts';
import { canonicalJson } from '../../../orchestrator/plan/canonical.ts';
import { stageNames } from '../../../orchestrator/plan/versions.ts';
import { changed, plan, prints } from './experiment.ts';

describe('keys', () => {
  it('are the same for the same experiment, whatever its name, device or threads', () => {
    expect(changed(plan(), plan())).toEqual([]);
    expect(changed(plan(), plan({ device: 'cpu', num_threads: 2 }))).toEqual([]);
    expect(changed(plan(), plan({ name: 'other' }))).toEqual(['report']);
  });

  it('change for the stages that a setting concerns, and for all after them', () => {
    const afterTrain = ['train', 'evaluate', 'verdict', 'figures', 'report'];
    expect(changed(plan(), plan({ train: { learning_rate: 1e-3 } }))).toEqual(afterTrain);
    expect(changed(plan(), plan({ method: { q: 30 } }))).toEqual(afterTrain);
    expect(changed(plan(), plan({ schedule: { kind: 'linear' } }))).toEqual(afterTrain);
    expect(changed(plan(), plan({ evaluate: { num_inference_steps: 30 } }))).toEqual([
      'evaluate',
      'verdict',
      'figures',
      'report',
    ]);
    expect(changed(plan(), plan({ figures: { prompt: 'a boy' } }))).toEqual(['figures', 'report']);
    expect(changed(plan(), plan({ dataset: { num_images: 10 } }))).toEqual([...stageNames]);
  });

  it('change with the content of what the experiment names', () => {
    expect(changed(plan(), plan({}, { prints: { ...prints, judge: 'other' } }))).toEqual([
      'evaluate',
      'verdict',
      'figures',
      'report',
    ]);
    expect(changed(plan(), plan({}, { prints: { ...prints, sources: ['world 2'] } }))).toEqual([...stageNames]);
  });

  it('all change under a salt: a fresh run shares nothing', () => {
    expect(changed(plan(), plan({}, { salt: 'fresh 1' }))).toEqual([...stageNames]);
  });
});

describe('specs', () => {
  it('are exactly what the jobs of the contracts hold', () => {
    const { stages } = plan();
    expect(AssembleJob.shape.spec.parse(stages.assemble.spec)).toEqual(stages.assemble.spec);
    expect(CacheJob.shape.spec.parse(stages.cache.spec)).toEqual(stages.cache.spec);
    expect(TrainJob.shape.spec.parse(stages.train.spec)).toEqual(stages.train.spec);
    expect(EvaluateJob.shape.spec.parse(stages.evaluate.spec)).toEqual(stages.evaluate.spec);
    expect(FigureJob.shape.spec.parse(stages.figures.spec)).toEqual(stages.figures.spec);
  });
});

describe('canonical JSON', () => {
  it('does not depend on the order of keys and is read back as the same value', () => {
    const objects = fc.dictionary(fc.string(), fc.jsonValue());
    fc.assert(
      fc.property(objects, value => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(reversed)).toBe(canonicalJson(value));
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
