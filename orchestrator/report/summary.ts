import type { EvaluateResult, JudgedImage, Route } from '../contracts/results.ts';
import { type Interval, meanInterval, pairedBootstrap } from '../convergence/bootstrap.ts';

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
}

/** Secondary minus primary, pair by pair. */
export interface Comparison {
  mean_difference: number;
  low: number;
  high: number;
  /** Mean of the secondary over mean of the primary; null when the latter is 0. */
  ratio: number | null;
  /** `better` and `worse` only when the interval leaves out 0. */
  judgement: 'better' | 'worse' | 'undecided';
}

export interface EvaluationSummary {
  num_pairs: number;
  confidence: number;
  text_only: RouteSummary;
  primary: RouteSummary;
  secondary: RouteSummary;
  secondary_vs_primary: { keypoint_error_px: Comparison; scene_drift: Comparison | null };
}

interface SummaryOptions {
  confidence: number;
  seed: number;
}

const summarizeRoute = (images: readonly JudgedImage[], options: SummaryOptions): RouteSummary => {
  const over = (value: (image: JudgedImage) => number) => meanInterval(images.map(value), options);
  const drifts = images.flatMap(({ scene_drift }) => (scene_drift === null ? [] : [scene_drift]));
  return {
    keypoint_error_px: over(image => image.keypoint_error_px),
    in_loss_error_px: over(image => image.in_loss_error_px),
    pck: over(image => image.pck),
    detection_rate: over(image => Number(image.detected)),
    scene_drift: drifts.length > 0 ? meanInterval(drifts, options) : null,
  };
};

const judge = (low: number, high: number): Comparison['judgement'] => {
  if (high < 0) return 'better';
  return low > 0 ? 'worse' : 'undecided';
};

/** Both measures compared are better when smaller. */
const compare = (secondary: readonly number[], primary: readonly number[], options: SummaryOptions): Comparison => {
  const difference = pairedBootstrap(secondary, primary, options);
  const [above, below] = [secondary, primary].map(values => values.reduce((sum, value) => sum + value, 0));
  const ratio = below ? (above ?? 0) / below : null;
  return { ...difference, ratio, judgement: judge(difference.low, difference.high) };
};

const compareDrift = ({ pairs }: EvaluateResult, options: SummaryOptions): Comparison | null => {
  const measured = pairs.flatMap(({ primary, secondary }) =>
    primary.scene_drift === null || secondary.scene_drift === null
      ? []
      : [{ primary: primary.scene_drift, secondary: secondary.scene_drift }],
  );
  if (measured.length === 0) return null;
  return compare(
    measured.map(pair => pair.secondary),
    measured.map(pair => pair.primary),
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
      keypoint_error_px: compare(errors('secondary'), errors('primary'), options),
      scene_drift: compareDrift(result, options),
    },
  };
};
