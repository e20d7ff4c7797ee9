import { type AuditInput, type AuditPoint, say, sayPercent } from './point.ts';

/** Beyond this ratio of the judge's error to the in-loss detector's, the loss has been fitted to its own detector. */
const GAP = 2;

/** Point 10: how far the detector in the loss can be trusted. */
export const trustedDetector = ({ detector, verdict }: AuditInput): AuditPoint => {
  const title = 'The detector';
  if (detector === null)
    return { point: 10, title, numbers: {}, verdict: 'not_measured', sentence: 'The detector was not measured.' };
  const { error_floor, in_loss_error_px, held_out_error_px, detection_rate } = detector;
  const floor = error_floor === null || verdict.q === null ? null : verdict.q * error_floor ** 2;
  const gap = in_loss_error_px > 0 ? held_out_error_px / in_loss_error_px : null;
  return {
    point: 10,
    title,
    numbers: { error_floor_times_q: floor, in_loss_error_px, held_out_error_px, gap, detection_rate },
    verdict: (gap ?? Infinity) > GAP ? 'fails' : 'caution',
    sentence: `The pose error is ${say(in_loss_error_px)} px by the detector of the loss and ${say(held_out_error_px)} px by the judge, who finds a person in ${sayPercent(detection_rate)} of the pictures; the detector's own error adds ${say(floor)} to the loss.`,
  };
};
