import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ExperimentInput } from '../../../orchestrator/contracts/experiment.ts';
import {
  AssembleJob,
  AuditJob,
  BaselineJob,
  CacheJob,
  EvaluateJob,
  FeaturesJob,
  FigureJob,
  PrimaryJob,
  TrainJob,
} from '../../../orchestrator/contracts/job.ts';
import { canonicalJson } from '../../../orchestrator/plan/canonical.ts';
import { stagesOf } from '../../../orchestrator/plan/plan.ts';
import { type StageName, stageNames } from '../../../orchestrator/plan/versions.ts';
import { changed, namesOf, plan, prints } from './experiment.ts';

/** From the training of the secondary on; the evaluation comes before the audit, which needs nothing of it. */
const fromTrain: StageName[] = ['train', 'evaluate', 'audit', 'verdict', 'figures', 'report'];
/** The baseline needs nothing of the training: it is shared by all trials that differ in that alone. */
const fromBaseline: StageName[] = ['baseline', 'evaluate', 'verdict', 'figures', 'report'];
const trainAndBaseline: StageName[] = ['train', 'baseline', ...fromTrain.slice(1)];
const fromFeatures: StageName[] = ['features', ...trainAndBaseline];
const fromPrimary: StageName[] = ['primary', ...fromFeatures];
const ofFigures = stageNames.filter(name => name !== 'index');
const withoutPrimary = ofFigures.filter(name => name !== 'primary');
const primary = {};

describe('stages', () => {
  it('list what lies on disk first, and only then', () => {
    expect(plan().stages.index).toBeNull();
    const sources = [{ kind: 'folder' as const, path: '/photos' }];
    const withPhotos = { dataset: { sources } };
    expect(namesOf(plan({ ...withPhotos, primary }))).toEqual([...stageNames]);
    const fewer = plan({ dataset: { sources, num_images: 10 } });
    expect(changed(plan(withPhotos), fewer)).toEqual(withoutPrimary);
  });

  it('come in the order of a run, without a primary unless one is trained', () => {
    expect(plan().stages.primary).toBeNull();
    expect(namesOf(plan())).toEqual([
      'assemble',
      'cache',
      'features',
      'train',
      'baseline',
      'evaluate',
      'audit',
      'verdict',
      'figures',
      'report',
    ]);
    expect(namesOf(plan({ primary }))).toEqual(ofFigures);
    expect(plan({ primary: null }).stages.primary).toBeNull();
  });

  it('read only stages before them, each the one whose key it names', () => {
    const stages = stagesOf(plan({ primary }));
    for (const [index, { inputs }] of stages.entries()) {
      const before = new Set(stages.slice(0, index).map(({ key }) => key));
      const named = Object.values(inputs).filter(key => stages.some(stage => stage.key === key));
      expect(named.every(key => before.has(key))).toBe(true);
    }
    const { stages: found } = plan({ primary });
    for (const name of ['features', 'train', 'baseline', 'audit', 'figures'] as const)
      expect(found[name].inputs.adapter).toBe(found.primary?.key);
    expect(plan().stages.train.inputs.adapter).toBe(prints.adapter);
  });
});

describe('keys', () => {
  it('are the same for the same experiment, whatever its name, device or threads', () => {
    expect(changed(plan(), plan())).toEqual([]);
    expect(changed(plan(), plan({ device: 'cpu', num_threads: 2 }))).toEqual([]);
    expect(changed(plan(), plan({ name: 'other' }))).toEqual(['report']);
    expect(changed(plan({ primary }), plan({ primary: { start: 'adapter' } }))).toEqual([]);
  });

  it('change for the stages that a setting concerns, and for all after them', () => {
    expect(changed(plan(), plan({ train: { learning_rate: 1e-3 } }))).toEqual(fromTrain);
    expect(changed(plan(), plan({ method: { q: 30 } }))).toEqual(fromTrain);
    expect(changed(plan(), plan({ schedule: { kind: 'linear' } }))).toEqual(fromTrain);
    expect(changed(plan(), plan({ evaluate: { num_inference_steps: 30 } }))).toEqual(fromBaseline);
    expect(changed(plan(), plan({ figures: { prompt: 'a boy' } }))).toEqual(['figures', 'report']);
    expect(changed(plan(), plan({ dataset: { num_images: 10 } }))).toEqual(withoutPrimary);
  });

  it('of audit, verdict and report alone change with what the audit looks at', () => {
    expect(changed(plan(), plan({ audit: { num_pairs: 64 } }))).toEqual(['audit', 'verdict', 'report']);
    expect(changed(plan(), plan({ audit: { batch_size: 8 } }))).toEqual(['audit', 'verdict', 'report']);
    // One threshold says for the evaluation and for the audit what counts as a person.
    expect(changed(plan(), plan({ evaluate: { detection_threshold: 0.3 } }))).toEqual([
      'baseline',
      'evaluate',
      'audit',
      'verdict',
      'figures',
      'report',
    ]);
  });

  it('of the features change with the scale of the adapter, those of latents and captions do not', () => {
    const scaled = { adapter: { conditioning_scale: 0.5 } };
    expect(changed(plan(), plan(scaled))).toEqual(fromFeatures);
    expect(changed(plan({ primary }), plan({ primary, ...scaled }))).toEqual(fromPrimary);
  });

  it('of the primary change with what Eq. 12 knows, and with no other reading', () => {
    const under = (method: ExperimentInput['method']) => changed(plan({ primary }), plan({ primary, method }));
    expect(under({ primary_weight: 'simple' })).toEqual(fromPrimary);
    expect(under({ unet_timestep: 'index' })).toEqual(fromPrimary);
    const others: ExperimentInput['method'][] = [
      { pose_residual: 'squared' },
      { q: 30 },
      { q: 'per-step' },
      { objective: 'score' },
      { latents: { source: 'noised' } },
      { update: 'per-trajectory' },
      { total: 'sum' },
      { target: 'detected' },
      { one_step: 'as-printed' },
      { image_at_t: 'state' },
      { sampler: 'as-printed' },
      { guidance_scale: 3 },
      { normalization_bias: [0.5, 0] },
    ];
    for (const method of others) expect(under(method)).toEqual(fromTrain);
    expect(changed(plan({ primary }), plan({ primary, schedule: { kind: 'linear' } }))).toEqual(fromPrimary);
  });

  it('of the primary and of all that builds on it change with its training, not with that of the secondary', () => {
    expect(changed(plan(), plan({ primary }))).toEqual(fromPrimary);
    expect(changed(plan({ primary }), plan({ primary: { start: 'scratch' } }))).toEqual(fromPrimary);
    expect(changed(plan({ primary }), plan({ primary: { train: { max_train_steps: 7 } } }))).toEqual(fromPrimary);
    expect(changed(plan({ primary }), plan({ primary, train: { max_train_steps: 7 } }))).toEqual(fromTrain);
    expect(changed(plan({ primary }), plan({ primary, convergence: { window: 50 } }))).toEqual(fromTrain);
  });

  it('change with the content of what the experiment names', () => {
    const other = (given: Partial<typeof prints>, input = {}) =>
      changed(plan(input), plan(input, { prints: { ...prints, ...given } }));
    expect(other({ judge: 'other' })).toEqual(fromBaseline);
    expect(other({ sources: ['world 2'] })).toEqual(withoutPrimary);
    expect(other({ backbone: 'other' })).toEqual(['cache', ...trainAndBaseline]);
    expect(other({ adapter: 'other' })).toEqual(fromFeatures);
    expect(other({ adapter: 'other' }, { primary })).toEqual(fromPrimary);
    expect(other({ detector: 'other' })).toEqual(trainAndBaseline);
    expect(other({ figure_pose: 'other' })).toEqual(['figures', 'report']);
  });

  it('all change under a salt: a fresh run shares nothing', () => {
    expect(changed(plan(), plan({}, { salt: 'fresh 1' }))).toEqual(withoutPrimary);
    expect(changed(plan({ primary }), plan({ primary }, { salt: 'fresh 1' }))).toEqual(ofFigures);
  });
});

describe('specs', () => {
  it('are exactly what the jobs of the contracts hold', () => {
    const { stages } = plan({ primary });
    expect(AssembleJob.shape.spec.parse(stages.assemble.spec)).toEqual(stages.assemble.spec);
    expect(CacheJob.shape.spec.parse(stages.cache.spec)).toEqual(stages.cache.spec);
    expect(PrimaryJob.shape.spec.parse(stages.primary?.spec)).toEqual(stages.primary?.spec);
    expect(FeaturesJob.shape.spec.parse(stages.features.spec)).toEqual(stages.features.spec);
    expect(TrainJob.shape.spec.parse(stages.train.spec)).toEqual(stages.train.spec);
    expect(AuditJob.shape.spec.parse(stages.audit.spec)).toEqual(stages.audit.spec);
    expect(BaselineJob.shape.spec.parse(stages.baseline.spec)).toEqual(stages.baseline.spec);
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
