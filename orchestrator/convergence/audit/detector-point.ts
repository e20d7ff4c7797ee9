import { type AuditInput, type AuditPoint, finite, notMeasured, say, sayPercent } from './point.ts';

/** Beyond this ratio of the judge's error to the in-loss detector's, the loss has been fitted to its own detector. */
const GAP = 2;
/** Below this share of pictures with a person, keypoints at that t mean little. */
const BLIND = 0.5;

const floorOf = ({ measured, verdict }: AuditInput): number | null => {
  const squared = measured?.detector.squared_error ?? null;
  return squared === null || verdict.q === null ? null : finite(verdict.q * squared);
};

const span = (ts: readonly number[]): string => {
  const [lowest, highest] = [Math.min(...ts), Math.max(...ts)];
  return lowest === highest ? `t = ${lowest}` : `between t = ${lowest} and t = ${highest}`;
};

const blindSentence = ({ measured }: AuditInput): string => {
  if (measured === null || measured.per_t.length === 0) return '';
  const blind = measured.per_t.filter(({ detection_rate_b }) => detection_rate_b < BLIND).map(({ t }) => t);
  return blind.length === 0
    ? ' It finds a person in most images at every t.'
    : ` At ${blind.length} of ${measured.per_t.length} t (${span(blind)}) it finds a person in less than half of the images in training: keypoints mean little there.`;
};

/** Point 10: how far the detector in the loss can be trusted. */
export const trustedDetector = (input: AuditInput): AuditPoint => {
  const [point, title, { detector, measured }] = [10, 'The detector', input];
  if (detector === null) return notMeasured(point, title, 'The detector was not measured.');
  const { in_loss_error_px, held_out_error_px, detection_rate } = detector;
  const floor = floorOf(input);
  return {
    point,
    title,
    numbers: {
      error_floor_times_q: floor,
      in_loss_error_px,
      held_out_error_px,
      gap: finite(held_out_error_px / in_loss_error_px),
      detection_rate,
      detection_rate_a_by_t: measured?.per_t.map(row => row.detection_rate_a) ?? null,
      detection_rate_b_by_t: measured?.per_t.map(row => row.detection_rate_b) ?? null,
    },
    verdict: held_out_error_px > GAP * in_loss_error_px ? 'fails' : 'caution',
    sentence: `The pose error is ${say(in_loss_error_px)} px by the detector of the loss and ${say(held_out_error_px)} px by the judge, who finds a person in ${sayPercent(detection_rate)} of the pictures; the detector's own error on the pictures of the set, times Q, is ${say(floor)}.${blindSentence(input)}`,
  };
};
