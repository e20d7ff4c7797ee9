import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AuditInput, type AuditPoint, audit, verdict } from '../../../orchestrator/convergence/index.ts';
import { buildSchedule } from '../../../orchestrator/schedule/index.ts';
import { bareInput, history, listed, measuredAt, numberOf, pointOf, q, row, verdictOptions } from './audit-input.ts';

/** How many sentences a text has: each ends with a period, and the next one begins with a capital. */
const countSentences = (text: string): number => text.match(/\.(?=\s+\p{Lu}|$)/gu)?.length ?? 0;

const numbersOf = (points: readonly AuditPoint[]) => points.flatMap(({ numbers }) => Object.values(numbers)).flat();

const isPlain = (sentence: string): boolean =>
  /^\p{Lu}.*\.$/u.test(sentence) &&
  [1, 2].includes(countSentences(sentence)) &&
  !/NaN|Infinity|undefined|null/.test(sentence);

const betas = buildSchedule({
  kind: 'arithmetic',
  of: 'betas',
  order: 'ascending',
  start: 0.00002,
  end: 1,
  num_steps: 50,
  singular: 'drop',
  eps: 1e-6,
});
const detector = { in_loss_error_px: 2, held_out_error_px: 9, detection_rate: 0.9 };
const sides = (step: number, t: number, cosine: number | null, [pose_norm, noise_norm] = [2, 1]) => ({
  step,
  t,
  cosine,
  pose_norm: pose_norm ?? null,
  noise_norm: noise_norm ?? null,
});
const tested = (term: string, t: number, word: AuditInput['gate'][number]['verdict'] = 'passes') => ({
  term,
  t,
  gradient: word === 'dead' ? 0 : word === 'not_finite' ? null : 0.5,
  finite_difference: word === 'passes' ? 0.49 : word === 'disagrees' ? 0.9 : null,
  verdict: word,
});

const everything: Partial<AuditInput> = {
  scene_drift: { primary: 0.05, secondary: 0.03 },
  detector,
  measured: measuredAt([row(1), row(5), row(10, { detection_rate_b: 0.2 })]),
  gradients: [sides(0, 1, 0.3), sides(0, 9, -0.2), sides(50, 1, 0.1), sides(50, 9, 0.2)],
  gate: [tested('target_pose', 1), tested('pose_residual', 1)],
};

describe('the audit', () => {
  it('has eleven points in order, each with a title of its own', () => {
    const points = audit(bareInput(everything));
    expect(points.map(({ point }) => point)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(new Set(points.map(({ title }) => title)).size).toBe(11);
    for (const { title } of points) expect(title).toMatch(/^\p{Lu}.*[^.]$/u);
  });

  it('says `not_measured` for what nobody has measured, and measures the rest all the same', () => {
    const words = (given: Partial<AuditInput>) => audit(bareInput(given)).map(({ verdict: word }) => word);
    const absent = words({}).flatMap((word, index) => (word === 'not_measured' ? [index + 1] : []));
    expect(absent).toEqual([1, 4, 5, 6, 7, 10, 11]);
    expect(words(everything)).not.toContain('not_measured');
    expect(words({ verdict: verdict([], q, verdictOptions) }).slice(1, 3)).toEqual(['not_measured', 'not_measured']);
  });

  it.each([
    ['of a full run', everything],
    ['of a run of which little is known', {}],
    ['of a run that diverged', { verdict: verdict([], q, verdictOptions), steps: [] }],
    ['of a singular schedule', { ...everything, table: betas, clamped_timesteps: 30 }],
    [
      'of a clamped schedule',
      {
        table: buildSchedule({ kind: 'list', of: 'alphas', values: [1, 0.9], singular: 'clamp', eps: 1e-6 }),
        clamped_timesteps: null,
      },
    ],
    [
      'of a run in which all goes wrong',
      {
        ...everything,
        method: { objective: 'score', primary_weight: 'simple', q: 3 },
        measured: measuredAt([row(1, { inner_product: -1, detection_rate_b: 0 }), row(2, { noised_target_pose: 0 })]),
        gate: [tested('target_pose', 1, 'dead'), tested('target_pose', 9, 'disagrees')],
        gradients: [sides(0, 1, -0.5), sides(0, 9, null, [0, 1])],
      },
    ],
  ] as [string, Partial<AuditInput>][])('gives each point one plain sentence or two: %s', (_, given) => {
    for (const { point, sentence } of audit(bareInput(given)))
      expect([point, sentence, isPlain(sentence)]).toEqual([point, sentence, true]);
  });

  it('comes back from JSON as it was', () => {
    const points = audit(bareInput({ ...everything, table: betas, clamped_timesteps: null }));
    expect(JSON.parse(JSON.stringify(points))).toEqual(points);
  });

  it('holds finite numbers alone, or null, and says no number that is none, whatever was measured', () => {
    const logged = fc.oneof(fc.constant(null), fc.constant(0), fc.double({ min: -1e3, max: 1e3, noNaN: true }));
    const norm = fc.oneof(fc.constant(null), fc.constant(0), fc.double({ min: 0, max: 1e3, noNaN: true }));
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const rows = fc.array(
      fc.record({
        t: fc.integer({ min: 1, max: 10 }),
        noise_error_a: norm,
        noise_error_b: norm,
        inner_product: logged,
        noised_target_pose: norm,
        target_pose: norm,
        score_difference: norm,
        detection_rate_a: share,
        detection_rate_b: share,
      }),
      { maxLength: 4 },
    );
    const cosines = fc.array(
      fc.record({
        step: fc.integer({ min: 0, max: 3 }),
        t: fc.integer({ min: 1, max: 10 }),
        cosine: fc.option(fc.double({ min: -1, max: 1, noNaN: true })),
        pose_norm: norm,
        noise_norm: norm,
      }),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(rows, norm, cosines, share, (per_t, squared_error, gradients, rate) => {
        const points = audit(
          bareInput({
            gradients,
            measured: measuredAt(per_t, { squared_error, detection_rate: rate }),
            detector: { in_loss_error_px: 10 * rate, held_out_error_px: 5, detection_rate: rate },
          }),
        );
        expect(numbersOf(points).every(value => value === null || Number.isFinite(value))).toBe(true);
        for (const { sentence } of points) expect(sentence).not.toMatch(/NaN|Infinity|undefined/);
      }),
      { seed: 11, numRuns: 300 },
    );
  });
});

describe('audit, point 1: the scene', () => {
  it('fails where scene drift rose', () => {
    const point = pointOf(1, { scene_drift: { primary: 0.05, secondary: 0.3 } });
    expect(point.verdict).toBe('fails');
    expect(point.sentence).toContain('0.3 with the secondary');
    expect(point.sentence).toContain('0.05 with the primary');
  });

  it('stays with caution under an objective of keypoints alone, and is fine where the scene is in it', () => {
    const scene_drift = { primary: 0.05, secondary: 0.04 };
    expect(pointOf(1, { scene_drift }).verdict).toBe('caution');
    const method = { objective: 'patent+scene', primary_weight: 'w(t)', q: 30 } as const;
    expect(pointOf(1, { scene_drift, method }).verdict).toBe('fine');
  });

  it('shows L_diffusion over the first and the last fifth, over every t of a trajectory', () => {
    const { visits } = history(1, () => 0)[0] ?? { visits: [] };
    const steps = Array.from({ length: 10 }, (_, index) => ({
      step: index + 1,
      visits: visits.flatMap(seen =>
        [0, 2].map(more => ({ ...seen, terms: { ...seen.terms, score_difference: index + more, scene: null } })),
      ),
    }));
    // Steps 1, 2: (0 + 2 + 1 + 3)/4; steps 9, 10: (8 + 10 + 9 + 11)/4.
    expect(pointOf(1, { steps }).numbers).toMatchObject({
      score_difference_first_and_last: [1.5, 9.5],
      scene_first_and_last: [null, null],
    });
  });
});

describe('audit, point 2: ΔL', () => {
  it('tells the gap of the Q of each t, not of their mean', () => {
    const each = Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? 1 : 1999));
    const steps = history(100, () => 0);
    const point = pointOf(2, { verdict: verdict(steps, each, verdictOptions) });
    expect(numberOf(point, 'gap')).toBeCloseTo((1 / 2 + 1 / 2000) / 2, 12);
    expect(point.sentence).toContain('25 % below ΔL');
  });

  it('does not apply to the readings of Eq. 20', () => {
    const found = verdict(
      history(100, () => 0),
      q,
      { ...verdictOptions, pose_residual: 'absolute' },
    );
    expect(pointOf(2, { verdict: found })).toMatchObject({ verdict: 'not_measured', numbers: { lower_bound: null } });
    expect(pointOf(3, { verdict: found }).verdict).toBe('not_measured');
  });
});

describe('audit, point 6: the factor that Eq. 35 leaves open', () => {
  const table = listed([0.9, 0.8]);
  // 1/(1 − ᾱ) is 10 and 1/0.28.
  const measured = measuredAt([
    row(1, { noise_error_b: 0.02, noised_target_pose: 0.1 }),
    row(2, { noise_error_b: 0.07, noised_target_pose: 0.01 }),
  ]);

  it('is E[‖y‖²/(1 − ᾱ_t)] / E‖b − b_0‖², beside its value at each t', () => {
    const point = pointOf(6, { table, measured });
    expect(point.numbers.factor_by_t).toEqual([expect.closeTo(2, 10), expect.closeTo(25, 10)]);
    expect(numberOf(point, 'factor')).toBeCloseTo((0.2 + 0.25) / (0.1 + 0.01), 10);
    expect(numberOf(point, 'q')).toBe(30);
    expect(point.verdict).toBe('caution');
    expect(point.sentence).toContain('from 2 to 25');
  });

  it('leaves out a t where every picture hits its pose', () => {
    const exact = { ...measured, per_t: [...measured.per_t, row(2, { noise_error_b: 0.07, noised_target_pose: 0 })] };
    const point = pointOf(6, { table, measured: exact });
    expect(point.numbers.factor_by_t).toEqual([expect.closeTo(2, 10), expect.closeTo(25, 10), null]);
    expect(point.sentence).toContain('from 2 to 25');
  });

  it.each([4, 5, 6])('is not measured, like point %d, where a noise error is not finite', number => {
    for (const given of [{ noise_error_a: null }, { noise_error_b: null }] as const) {
      const broken = measuredAt([row(1), row(2, number === 6 ? { noise_error_b: null } : given)]);
      expect(pointOf(number, { table, measured: broken })).toMatchObject({ verdict: 'not_measured', numbers: {} });
    }
  });
});

describe('audit, point 7: both sides of Eq. 33', () => {
  const gradients = [
    sides(100, 1, 0.9, [3, 1]),
    sides(0, 1, 0.2, [1, 2]),
    sides(0, 9, -0.4, [8, 2]),
    sides(100, 9, null, [0, 2]),
  ];

  it('has the mean cosine at every step that was measured, and the range of the norms’ ratio', () => {
    const point = pointOf(7, { gradients });
    expect(point.numbers.steps).toEqual([0, 100]);
    expect(point.numbers.cosine_by_step).toEqual([expect.closeTo(-0.1, 12), expect.closeTo(0.9, 12)]);
    expect(numberOf(point, 'mean_cosine')).toBeCloseTo(0.7 / 3, 12);
    expect([point.numbers.lowest_cosine, point.numbers.highest_cosine]).toEqual([-0.4, 0.9]);
    expect(point.numbers.norm_ratio).toEqual([0, 4]);
    expect(point.verdict).toBe('caution');
  });

  it('is fine where both sides point the same way and fails where they pull against each other', () => {
    expect(pointOf(7, { gradients: [sides(0, 1, 0.95), sides(0, 9, 0.9)] }).verdict).toBe('fine');
    expect(pointOf(7, { gradients: [sides(0, 1, 0.9), sides(0, 9, 0.8)] }).verdict).toBe('caution');
    expect(pointOf(7, { gradients: [sides(0, 1, 0.2), sides(0, 9, -0.4)] }).verdict).toBe('fails');
  });

  it('is not measured where no cosine is known', () => {
    expect(pointOf(7, { gradients: [sides(0, 1, null, [0, 0])] })).toMatchObject({
      verdict: 'not_measured',
      numbers: {},
    });
  });
});

describe('audit, points 8 and 9: Q and the schedule', () => {
  it('says that t = 1 makes 99.7 % of Q in the β-reading, and how many steps the U-Net never saw', () => {
    const [sidesOfQ, schedule] = audit(bareInput({ table: betas, clamped_timesteps: 30 })).slice(7, 9);
    expect(sidesOfQ?.numbers.share_of_first_step).toBeCloseTo(0.997, 3);
    expect(sidesOfQ?.numbers.expectation).toBeCloseTo(2006.78, 2);
    expect(sidesOfQ?.verdict).toBe('fails');
    expect(schedule?.sentence).toContain('30 of 50');
    expect(schedule?.numbers.singular_t).toEqual([50]);
    expect(schedule?.verdict).toBe('fails');
  });

  it('shows both sides of Eq. 37 and fails where one t makes more than half of Q', () => {
    // α/(1 − α) = 9, 4, 1: 2·14/3 against 2·(9 + 8 + 3).
    const uneven = pointOf(8, { table: listed([0.9, 0.8, 0.5]) });
    expect(numberOf(uneven, 'expectation')).toBeCloseTo(28 / 3, 12);
    expect(numberOf(uneven, 'printed_sum')).toBeCloseTo(40, 12);
    expect(uneven.numbers.q_shares).toEqual([9, 4, 1].map(odds => expect.closeTo(odds / 14, 12)));
    expect(uneven.verdict).toBe('fails');
    expect(uneven.sentence).toContain('t = 1 alone makes 64 % of Q');
    expect(pointOf(8, { table: listed([0.8, 0.8, 0.8]) }).verdict).toBe('caution');
  });

  it('says that eps sets Q where a singular t was clamped', () => {
    const clamped = buildSchedule({ kind: 'list', of: 'alphas', values: [1, 0.9], singular: 'clamp', eps: 1e-3 });
    const point = pointOf(8, { table: clamped });
    // 0.999/0.001 = 999 against 9.
    expect(numberOf(point, 'clamped_share_of_q')).toBeCloseTo(999 / 1008, 12);
    expect(point.verdict).toBe('fails');
    expect(point.sentence).toContain('eps sets 99 % of it at t = 1');
  });

  it('shows the gain √((1 − ᾱ_t)/ᾱ_t) of each t and counts the t that the U-Net does not know', () => {
    const at = (clamped_timesteps: number | null) => pointOf(9, { table: listed([0.9, 0.8, 0.5]), clamped_timesteps });
    // ᾱ = 0.9, 0.72, 0.36.
    expect(at(0).numbers.gain).toEqual([1 / 3, Math.sqrt(28 / 72), 4 / 3].map(gain => expect.closeTo(gain, 12)));
    expect(at(0).numbers.terminal_snr).toBeCloseTo(0.36 / 0.64, 12);
    expect([0, 1, 2, null].map(count => at(count).verdict)).toEqual(['fine', 'caution', 'fails', 'fine']);
    expect(at(2).sentence).toContain('2 of 3 lie outside');
    expect(at(null).sentence).not.toContain('lie outside');
    expect(at(0).sentence).toContain('up to 1.33-fold');
  });
});

describe('audit, point 10: the detector', () => {
  const at = (given: Partial<AuditInput>) => pointOf(10, { detector, ...given });

  it('fails where the judge sees more than twice the error that the detector of the loss sees', () => {
    const point = at({ measured: measuredAt([row(1)], { squared_error: 0.0001 }) });
    expect(point.verdict).toBe('fails');
    expect(numberOf(point, 'gap')).toBe(4.5);
    expect(numberOf(point, 'error_floor_times_q')).toBeCloseTo(30 * 0.0001, 12);
    expect(at({ detector: { ...detector, held_out_error_px: 3 } }).verdict).toBe('caution');
    const fitted = at({ detector: { ...detector, in_loss_error_px: 0 } });
    expect(fitted).toMatchObject({ verdict: 'fails', numbers: { gap: null } });
  });

  it('names the t at which it finds a person in less than half of the images of route B', () => {
    const rates = [1, 0.9, 0.5, 0.49, 0.1];
    const measured = measuredAt(
      rates.map((rate, index) => row(2 * index + 1, { detection_rate_b: rate, detection_rate_a: 1 - rate })),
    );
    const point = at({ measured });
    expect(point.numbers.detection_rate_b_by_t).toEqual(rates);
    expect(point.numbers.detection_rate_a_by_t).toEqual(rates.map(rate => 1 - rate));
    expect(point.sentence).toContain('At 2 of 5 t (between t = 7 and t = 9)');
    const one = measuredAt([row(1, { detection_rate_b: 0 }), row(2), row(3)]);
    expect(at({ measured: one }).sentence).toContain('At 1 of 3 t (t = 1)');
    expect(at({ measured: measuredAt([row(1), row(2)]) }).sentence).toContain('most images at every t');
  });

  it('says that its floor is not known where the audit measured none', () => {
    const point = at({});
    expect(point.numbers).toMatchObject({ error_floor_times_q: null, detection_rate_a_by_t: null, gap: 4.5 });
    expect(point.sentence).toContain('times Q, is not known');
    expect(at({ measured: measuredAt([row(1)], { squared_error: null }) }).numbers.error_floor_times_q).toBeNull();
  });
});

describe('audit, point 11: the gradient self-test', () => {
  it('is fine where every term passes at every t', () => {
    const gate = [1, 5, 9].flatMap(t => [tested('target_pose', t), tested('pose_residual', t)]);
    const point = pointOf(11, { gate });
    expect(point.verdict).toBe('fine');
    expect(point.sentence).toContain('6 tests (target_pose, pose_residual at 3 of the t)');
    expect(point.numbers).toEqual({
      t: [1, 1, 5, 5, 9, 9],
      gradient: Array(6).fill(0.5),
      finite_difference: Array(6).fill(0.49),
    });
  });

  it('names each term and t without a usable gradient, and why', () => {
    const gate = [
      tested('target_pose', 1),
      tested('target_pose', 9, 'dead'),
      tested('scene', 1),
      tested('scene', 5, 'disagrees'),
      tested('scene', 9, 'not_finite'),
    ];
    const point = pointOf(11, { gate });
    expect(point.verdict).toBe('caution');
    expect(point.sentence).toContain(
      '3 found no usable gradient: target_pose at t = 9 (zero); scene at t = 5 (off its finite difference); scene at t = 9 (not finite).',
    );
    expect(point.numbers.gradient).toEqual([0.5, 0, 0.5, 0.5, null]);
  });

  it('fails where a term passes at no t', () => {
    const word = (...gate: ReturnType<typeof tested>[]) => pointOf(11, { gate }).verdict;
    expect(word(tested('scene', 1, 'dead'), tested('scene', 5, 'disagrees'), tested('target_pose', 1))).toBe('fails');
    expect(word(tested('scene', 1, 'dead'), tested('scene', 5))).toBe('caution');
  });
});
