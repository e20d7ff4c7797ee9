import { describe, expect, it } from 'vitest';
import { summarizeEvaluation } from '../../../orchestrator/report/summary.ts';
import { poseAnswer, sceneAnswer, textAnswer } from '../../../orchestrator/report/words.ts';
import { evaluation, judged } from './fixture.ts';

const many = (...values: number[]): number[] =>
  Array.from({ length: 24 }, (_, index) => values[index % values.length] ?? 0);

describe('summarizeEvaluation', () => {
  it('takes means over the whole set, pictures without a person with their error', () => {
    const result = evaluation([2, 4, 9], [1, 3, 5]);
    const pairs = result.pairs.map((pair, index) => (index === 2 ? { ...pair, primary: judged(9, 0.2, false) } : pair));
    const { primary, secondary } = summarizeEvaluation({ ...result, pairs });
    expect(primary.keypoint_error_px.mean).toBe(5);
    expect(primary.in_loss_error_px.mean).toBe(4.5);
    expect(primary.detection_rate.mean).toBeCloseTo(2 / 3, 12);
    expect(primary.pck.mean).toBeCloseTo((1 + 1 + 0.5) / 3, 12);
    expect(primary.scene_drift?.mean).toBeCloseTo((0.04 + 0.041 + 0.2) / 3, 12);
    expect(secondary.keypoint_error_px.mean).toBe(3);
  });

  it('measures no drift for text only', () => {
    expect(summarizeEvaluation(evaluation([2, 4], [1, 3])).text_only.scene_drift).toBeNull();
  });

  it('counts the attributes that a text names, and leaves out texts that name none', () => {
    const { pairs, ...rest } = evaluation([2, 4, 9, 3], [1, 3, 5, 3]);
    const shown = [{ shirt: true, scene: false }, { scene: true }, {}, { shirt: true, scene: true }];
    const told = pairs.map((pair, index) => ({
      ...pair,
      primary: { ...pair.primary, attributes: shown[index] ?? {} },
    }));
    const { primary, secondary_vs_primary } = summarizeEvaluation({ ...rest, pairs: told });
    expect(primary.attribute_accuracy?.mean).toBeCloseTo((0.5 + 1 + 1) / 3, 12);
    expect(secondary_vs_primary.attribute_accuracy?.mean_difference).toBeCloseTo(0.5 / 3, 12);
    const silent = pairs.map(pair => ({ ...pair, primary: { ...pair.primary, attributes: {} } }));
    expect(summarizeEvaluation({ ...rest, pairs: silent }).secondary_vs_primary.attribute_accuracy).toBeNull();
  });

  it('takes more text shown as better, and less as worse', () => {
    const shown = (first: boolean, second: boolean) => {
      const { pairs, ...rest } = evaluation(many(3, 6), many(3, 6));
      const attributed = pairs.map(pair => ({
        ...pair,
        primary: { ...pair.primary, attributes: { shirt: first } },
        secondary: { ...pair.secondary, attributes: { shirt: second } },
      }));
      return textAnswer(summarizeEvaluation({ ...rest, pairs: attributed }));
    };
    expect(shown(false, true)).toMatchObject({ answer: 'better', tone: 'good' });
    expect(shown(true, false)).toMatchObject({ answer: 'worse', tone: 'bad' });
    expect(shown(true, false)?.sentence).toContain('-100.0 points');
    expect(shown(true, true)).toMatchObject({ answer: 'no clear change', tone: 'open' });
  });

  it('compares pair by pair and judges only where the interval leaves out 0', () => {
    const better = summarizeEvaluation(evaluation(many(4, 8), many(3, 6))).secondary_vs_primary.keypoint_error_px;
    expect(better).toMatchObject({
      mean_difference: -1.5,
      ratio: { mean: 0.75, low: 0.75, high: 0.75 },
      judgement: 'better',
    });
    expect(better.low).toBeGreaterThanOrEqual(-2);
    expect(better.high).toBeLessThanOrEqual(-1);
    const worse = summarizeEvaluation(evaluation(many(3, 6), many(4, 8))).secondary_vs_primary.keypoint_error_px;
    expect(worse.judgement).toBe('worse');
    const open = summarizeEvaluation(evaluation(many(3, 6), many(6, 3))).secondary_vs_primary.keypoint_error_px;
    expect(open).toMatchObject({ mean_difference: 0, judgement: 'undecided' });
  });
});

describe('the verdict in words', () => {
  it('says plainly when the secondary adapter is worse', () => {
    const summary = summarizeEvaluation(evaluation(many(3, 6), many(4, 8), 0.09));
    expect(poseAnswer(summary)).toMatchObject({ answer: 'worse', tone: 'bad' });
    expect(poseAnswer(summary).sentence).toContain('The secondary adapter is not better');
    expect(sceneAnswer(summary)).toMatchObject({ answer: 'drifts more', tone: 'bad' });
    expect(sceneAnswer(summary).sentence).toContain('not steadier');
  });

  it('says by which share the error is lower', () => {
    const summary = summarizeEvaluation(evaluation(many(4, 8), many(2, 4)));
    expect(poseAnswer(summary).sentence).toContain('50 % less (50 % to 50 %)');
  });

  it('claims nothing where the interval includes no change', () => {
    const summary = summarizeEvaluation(evaluation(many(3, 6), many(6, 3)));
    expect(poseAnswer(summary)).toMatchObject({ answer: 'no clear change', tone: 'open' });
    expect(poseAnswer(summary).sentence).toContain('not shown');
  });

  it('says when drift was not measured', () => {
    const { image_size, pairs } = evaluation([3, 4], [2, 3]);
    const unmeasured = pairs.map(pair => ({ ...pair, secondary: { ...pair.secondary, scene_drift: null } }));
    expect(sceneAnswer(summarizeEvaluation({ image_size, pairs: unmeasured })).answer).toBe('not measured');
  });
});
