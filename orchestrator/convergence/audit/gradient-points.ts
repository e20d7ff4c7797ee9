import { type AuditInput, type AuditPoint, finite, mean, notMeasured, say } from './point.ts';

type Sides = AuditInput['gradients'][number];

/** Cosine from which two gradients count as pointing the same way. */
const ALIGNED = 0.9;

const cosineAt = (gradients: readonly Sides[], step: number): number | null =>
  finite(mean(gradients.flatMap(sides => (sides.step === step ? (sides.cosine ?? []) : []))));

const ratioOf = ({ pose_norm, noise_norm }: Sides): number => (pose_norm ?? Number.NaN) / (noise_norm ?? Number.NaN);

/** Point 7: equal minimisers (Eq. 32-33) do not imply equal gradients. */
export const equalGradients = ({ gradients }: AuditInput): AuditPoint => {
  const [point, title] = [7, 'Eq. 32-33: gradients'];
  const cosines = gradients.flatMap(({ cosine }) => cosine ?? []);
  if (cosines.length === 0)
    return notMeasured(point, title, 'The gradients of both sides of Eq. 33 were not measured.');
  const steps = [...new Set(gradients.map(({ step }) => step))].sort((a, b) => a - b);
  const ratios = gradients.map(ratioOf).filter(Number.isFinite);
  const [cosine, lowest, highest] = [mean(cosines), Math.min(...ratios), Math.max(...ratios)];
  return {
    point,
    title,
    numbers: {
      steps,
      cosine_by_step: steps.map(step => cosineAt(gradients, step)),
      mean_cosine: cosine,
      lowest_cosine: Math.min(...cosines),
      highest_cosine: Math.max(...cosines),
      norm_ratio: [finite(lowest), finite(highest)],
    },
    verdict: cosine >= ALIGNED ? 'fine' : cosine < 0 ? 'fails' : 'caution',
    sentence: `The gradients of the two sides of Eq. 33 have a mean cosine of ${say(cosine)} throughout training (from ${say(Math.min(...cosines))} to ${say(Math.max(...cosines))}), and the pose side is ${say(lowest)} to ${say(highest)} times as long: where both vanish together was assumed, not shown.`,
  };
};

const faults = { dead: 'zero', not_finite: 'not finite', disagrees: 'off its finite difference' } as const;

const tell = ({ term, t, verdict }: AuditInput['gate'][number]): string =>
  verdict === 'passes' ? '' : `${term} at t = ${t} (${faults[verdict]})`;

/** Point 11: the self-test of the gradients before the first step. */
export const liveGradients = ({ gate }: AuditInput): AuditPoint => {
  const [point, title] = [11, 'Gradient self-test'];
  if (gate.length === 0) return notMeasured(point, title, 'No gradient self-test is in the log of this training.');
  const bad = gate.filter(({ verdict }) => verdict !== 'passes');
  const terms = [...new Set(gate.map(({ term }) => term))];
  const hopeless = terms.filter(name => gate.every(({ term, verdict }) => term !== name || verdict !== 'passes'));
  const tested = `${gate.length} tests (${terms.join(', ')} at ${new Set(gate.map(({ t }) => t)).size} of the t)`;
  return {
    point,
    title,
    numbers: {
      t: gate.map(({ t }) => t),
      gradient: gate.map(({ gradient }) => gradient),
      finite_difference: gate.map(({ finite_difference }) => finite_difference),
    },
    verdict: bad.length === 0 ? 'fine' : hopeless.length > 0 ? 'fails' : 'caution',
    sentence:
      bad.length === 0
        ? `Every gradient with respect to the adapter is finite, not zero and near its finite difference in ${tested}.`
        : `Of ${tested}, ${bad.length} found no usable gradient: ${bad.map(tell).join('; ')}. At such t the loss teaches the adapter nothing, or not what it says.`,
  };
};
