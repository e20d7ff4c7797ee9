import type { Interval } from '../convergence/bootstrap.ts';
import type { ReportVerdict } from './data.ts';
import type { Comparison, EvaluationSummary } from './summary.ts';
import { number, percent } from './text.ts';

/** An answer of the verdict: a word for the eye, a sentence for the reader. */
export interface Answer {
  question: string;
  answer: string;
  tone: 'good' | 'bad' | 'open';
  sentence: string;
}

/** "3.1 (2.8 to 3.4)" */
export const intervalText = ({ mean, low, high }: Interval, digits = 3): string =>
  `${number(mean, digits)} (${number(low, digits)} to ${number(high, digits)})`;

const tones = { better: 'good', worse: 'bad', undecided: 'open' } as const;

const change = ({ mean_difference, low, high }: Comparison, unit: string, confidence: number): string =>
  `difference ${number(mean_difference, 3)}${unit}, ${percent(confidence, 0)} interval ${number(low, 3)} to ${number(high, 3)}${unit}`;

/** A ratio as the share by which it is below 1: "58 % less (51 % to 64 %)". */
const lessText = ({ mean, low, high }: Interval): string => {
  const [sign, word] = mean <= 1 ? [1, 'less'] : [-1, 'more'];
  const ends = [sign * (1 - high), sign * (1 - low)].sort((a, b) => a - b).map(share => percent(share, 0));
  return `${percent(Math.abs(1 - mean), 0)} ${word} (${ends.join(' to ')})`;
};

const poseOpenings = {
  better: 'The secondary adapter follows the pose better than the primary one',
  worse: 'The secondary adapter is not better: it follows the pose worse than the primary one',
  undecided:
    'The secondary adapter is not shown to follow the pose better than the primary one: the interval includes no change',
};

/** Is the pose better than the primary's on held-out poses, by the judge? */
export const poseAnswer = (summary: EvaluationSummary): Answer => {
  const { keypoint_error_px: compared } = summary.secondary_vs_primary;
  const [primary, secondary] = [summary.primary, summary.secondary];
  const share = compared.ratio === null ? '' : `${lessText(compared.ratio)}; `;
  const people = `The judge finds a person in ${percent(secondary.detection_rate.mean)} of the pictures, with the primary in ${percent(primary.detection_rate.mean)}.`;
  return {
    question: 'Pose against the primary',
    answer: { better: 'better', worse: 'worse', undecided: 'no clear change' }[compared.judgement],
    tone: tones[compared.judgement],
    sentence: `${poseOpenings[compared.judgement]}. Over ${summary.num_pairs} held-out pairs the mean keypoint error is ${number(secondary.keypoint_error_px.mean, 3)} px with the secondary and ${number(primary.keypoint_error_px.mean, 3)} px with the primary (${share}${change(compared, ' px', summary.confidence)}). ${people}`,
  };
};

const driftOpenings = {
  better: 'The scene is steadier than with the primary adapter',
  worse: 'The scene is not steadier: it drifts more than with the primary adapter',
  undecided: 'The scene is not shown to be steadier than with the primary adapter: the interval includes no change',
};

/** Does the scene stay when only the pose changes? */
export const sceneAnswer = (summary: EvaluationSummary): Answer => {
  const compared = summary.secondary_vs_primary.scene_drift;
  const question = 'Scene against the primary';
  if (compared === null)
    return { question, answer: 'not measured', tone: 'open', sentence: 'Scene drift was not measured in this run.' };
  const times = compared.ratio === null ? '' : `, ${intervalText(compared.ratio)} times the primary's`;
  return {
    question,
    answer: { better: 'steadier', worse: 'drifts more', undecided: 'no clear change' }[compared.judgement],
    tone: tones[compared.judgement],
    sentence: `${driftOpenings[compared.judgement]}. Outside both figures the pictures of a pair differ by ${number(summary.secondary.scene_drift?.mean, 3)} on a scale of 2${times} (${change(compared, '', summary.confidence)}).`,
  };
};

const textOpenings = {
  better: 'The text is followed better than with the primary adapter',
  worse: 'The text is followed less than with the primary adapter',
  undecided: 'The text is followed as with the primary adapter: the interval includes no change',
};

const points = (share: number): string => (100 * share).toFixed(1);

/** Do the pictures still show what the text says? Null where no text names an attribute that can be read. */
export const textAnswer = (summary: EvaluationSummary): Answer | null => {
  const compared = summary.secondary_vs_primary.attribute_accuracy;
  if (compared === null) return null;
  const [primary, secondary] = [summary.primary, summary.secondary].map(
    route => route.attribute_accuracy?.mean ?? null,
  );
  return {
    question: 'Text against the primary',
    answer: { better: 'better', worse: 'worse', undecided: 'no clear change' }[compared.judgement],
    tone: tones[compared.judgement],
    sentence: `${textOpenings[compared.judgement]}. Of the shirts and scenes that the texts name, ${percent(secondary ?? null)} are shown with the secondary and ${percent(primary ?? null)} with the primary (${points(compared.mean_difference)} points, ${percent(summary.confidence, 0)} interval ${points(compared.low)} to ${points(compared.high)}).`,
  };
};

const side = (error: number | null): string => {
  if (error === null) return 'not comparable with it';
  return `${percent(Math.abs(error), 2)} ${error < 0 ? 'below' : 'above'} it`;
};

const proof = ({ pose_bound }: ReportVerdict): string =>
  pose_bound === null
    ? 'No bound on the pose follows from this loss.'
    : `What this loss proves: by the detector of the loss, the root mean square pose error of the pictures in training is at most ${percent(pose_bound, 2)} of the distance between the two poses.`;

const notTrained: Answer = {
  question: 'Loss',
  answer: 'not trained',
  tone: 'bad',
  sentence:
    'Training did not start: at every t that was tested the gradient of a loss term is dead, although decoder and detector work on clean pictures, so it is the schedule that leaves nothing to learn from (audit, points 9 and 11). The secondary adapter below is the primary as it was.',
};

/** Is the loss on a plateau, and where is it against its theory value? */
export const lossAnswer = (verdict: ReportVerdict): Answer => (verdict.refused ? notTrained : trained(verdict));

const trained = (verdict: ReportVerdict): Answer => ({
  question: 'Loss',
  answer: verdict.converged ? 'converged' : verdict.on_plateau ? 'plateau, off the theory value' : 'still moving',
  tone: verdict.converged ? 'good' : 'open',
  sentence: `After ${verdict.steps} steps the loss ${verdict.on_plateau ? 'is on a plateau' : 'is not on a plateau yet'} at ${intervalText(verdict.achieved)}. The theory value ΔL is ${number(verdict.delta_l)} (the loss is ${side(verdict.error_to_delta_l)}; ${percent(verdict.tolerance, 2)} counts as converged), the lower bound L* is ${number(verdict.lower_bound)} (${side(verdict.error_to_lower_bound)}), with Q = ${number(verdict.q)}. ${proof(verdict)}`,
});
