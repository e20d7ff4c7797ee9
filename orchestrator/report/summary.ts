import type { EvaluateResult, JudgedImage, Route } from '../contracts/results.ts';
import { type Interval, meanInterval, pairedBootstrap, ratioInterval } from '../convergence/bootstrap.ts';

/** What one route reaches over all held-out pairs. Pictures without a person count with the error they have. */
export interface RouteSummary {
  keypoint_error_px: Interval;
  /** The same by the detector that is in the loss. */
  in_loss_error_px: Interval;
  /** PCK@0.1, 0 … 1. */
  pck: Interval;
  /** Share of pictures where the judge finds a person, 0 … 1. */
  detection_rate: Interval;
  /** Null where nothing can drift (text only) or nothing was measured. */
  scene_drift: Interval | null;
  /** SSIM of the scene, at most 1; null likewise. */
  scene_ssim: Interval | null;
  /** Share of the attributes named by a picture's text that it shows; null where no text names one. */
  attribute_accuracy: Interval | null;
}

/** Secondary minus primary, pair by pair. */
export interface Comparison {
  mean_difference: number;
  low: number;
  high: number;
  /** Mean of the secondary over mean of the primary; null when the latter is 0. */
  ratio: Interval | null;
  /** `better` and `worse` only when the interval leaves out 0. */
  judgement: 'better' | 'worse' | 'undecided';
}

export interface EvaluationSummary {
  num_pairs: number;
  confidence: number;
  text_only: RouteSummary;
  primary: RouteSummary;
  secondary: RouteSummary;
  secondary_vs_primary: {
    keypoint_error_px: Comparison;
    scene_drift: Comparison | null;
    attribute_accuracy: Comparison | null;
  };
}

interface SummaryOptions {
  confidence: number;
  seed: number;
}

/** Share of the attributes named by the text that the picture shows; null where it names none. */
export const attributeAccuracy = ({ attributes }: JudgedImage): number | null => {
  const shown = Object.values(attributes);
  return shown.length > 0 ? shown.filter(Boolean).length / shown.length : null;
};

const summarizeRoute = (images: readonly JudgedImage[], options: SummaryOptions): RouteSummary => {
  const over = (value: (image: JudgedImage) => number) => meanInterval(images.map(value), options);
  const measured = (value: (image: JudgedImage) => number | null) => {
    const values = images.map(value).filter(found => found !== null);
    return values.length > 0 ? meanInterval(values, options) : null;
  };
  return {
    keypoint_error_px: over(image => image.keypoint_error_px),
    in_loss_error_px: over(image => image.in_loss_error_px),
    pck: over(image => image.pck),
    detection_rate: over(image => Number(image.detected)),
    scene_drift: measured(image => image.scene_drift),
    scene_ssim: measured(image => image.scene_ssim),
    attribute_accuracy: measured(attributeAccuracy),
  };
};

/** Which sign of a difference is an improvement. */
type Better = 'smaller' | 'larger';

const judge = (low: number, high: number, better: Better): Comparison['judgement'] => {
  if (low <= 0 && high >= 0) return 'undecided';
  return high < 0 === (better === 'smaller') ? 'better' : 'worse';
};

const compare = (
  secondary: readonly number[],
  primary: readonly number[],
  better: Better,
  options: SummaryOptions,
): Comparison => {
  const difference = pairedBootstrap(secondary, primary, options);
  const judgement = judge(difference.low, difference.high, better);
  return { ...difference, ratio: ratioInterval(secondary, primary, options), judgement };
};

/** Over the pairs where both are measured; null where there is none. */
const compareMeasured = (
  { pairs }: EvaluateResult,
  value: (image: JudgedImage) => number | null,
  better: Better,
  options: SummaryOptions,
): Comparison | null => {
  const both = pairs.flatMap(pair => {
    const [secondary, primary] = [value(pair.secondary), value(pair.primary)];
    return secondary === null || primary === null ? [] : [[secondary, primary] as const];
  });
  if (both.length === 0) return null;
  return compare(
    both.map(([secondary]) => secondary),
    both.map(([, primary]) => primary),
    better,
    options,
  );
};

/**
 * The numbers of the results table, over the whole set at once: means over all held-out pairs with bootstrap intervals
 * (pairs are resampled), and the secondary against the primary pair by pair. Pixels are those of the evaluated pictures.
 */
export const summarizeEvaluation = (
  result: EvaluateResult,
  options: SummaryOptions = { confidence: 0.95, seed: 0 },
): EvaluationSummary => {
  const images = (route: Route) => result.pairs.map(pair => pair[route]);
  const errors = (route: Route) => images(route).map(image => image.keypoint_error_px);
  return {
    num_pairs: result.pairs.length,
    confidence: options.confidence,
    text_only: summarizeRoute(images('text_only'), options),
    primary: summarizeRoute(images('primary'), options),
    secondary: summarizeRoute(images('secondary'), options),
    secondary_vs_primary: {
      keypoint_error_px: compare(errors('secondary'), errors('primary'), 'smaller', options),
      scene_drift: compareMeasured(result, image => image.scene_drift, 'smaller', options),
      attribute_accuracy: compareMeasured(result, attributeAccuracy, 'larger', options),
    },
  };
};
