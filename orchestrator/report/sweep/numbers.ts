/** The numbers of one trial, its two adapters compared pair by pair. */
import { type Interval, meanOf, ratioInterval } from '../../convergence/bootstrap.ts';
import { achievedToDeltaL, achievedToLowerBound, type RouteValues, type TrialRecord } from './record.ts';

const options = { confidence: 0.95, seed: 0 };

export interface TrialNumbers {
  /** held-out pairs that were judged */
  num_pairs: number | null;
  keypoint_error_px: number | null;
  primary_keypoint_error_px: number | null;
  /** mean of the secondary over mean of the primary, pairs resampled */
  keypoint_error_ratio: Interval | null;
  scene_drift: number | null;
  primary_scene_drift: number | null;
  scene_drift_ratio: Interval | null;
  /** share of the attributes named by the texts that the pictures show */
  attribute_accuracy: number | null;
  primary_attribute_accuracy: number | null;
  /** of the plateau's window */
  achieved_to_delta_l: number | null;
  achieved_to_lower_bound: number | null;
}

const compared = (measured: TrialRecord['measured'], measure: keyof RouteValues) => {
  const [mine, theirs] = [measured?.secondary[measure] ?? [], measured?.primary[measure] ?? []];
  if (mine.length === 0) return { secondary: null, primary: null, ratio: null };
  return { secondary: meanOf(mine), primary: meanOf(theirs), ratio: ratioInterval(mine, theirs, options) };
};

/** Resamples the pairs: milliseconds for each trial, so not to be asked for a mean alone. */
export const numbersOf = (trial: TrialRecord): TrialNumbers => {
  const { measured } = trial;
  const error = compared(measured, 'keypoint_error_px');
  const drift = compared(measured, 'scene_drift');
  const text = compared(measured, 'attribute_accuracy');
  return {
    num_pairs: measured?.secondary.keypoint_error_px.length ?? null,
    keypoint_error_px: error.secondary,
    primary_keypoint_error_px: error.primary,
    keypoint_error_ratio: error.ratio,
    scene_drift: drift.secondary,
    primary_scene_drift: drift.primary,
    scene_drift_ratio: drift.ratio,
    attribute_accuracy: text.secondary,
    primary_attribute_accuracy: text.primary,
    achieved_to_delta_l: achievedToDeltaL(trial),
    achieved_to_lower_bound: achievedToLowerBound(trial),
  };
};
