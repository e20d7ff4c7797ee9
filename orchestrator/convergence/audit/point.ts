import type { GateEvent, GradientsEvent } from '../../contracts/events.ts';
import type { Method } from '../../contracts/method.ts';
import type { AuditResult } from '../../contracts/results.ts';
import type { ScheduleTable } from '../../schedule/index.ts';
import type { LoggedStep } from '../series.ts';
import type { Verdict } from '../verdict.ts';

/** One point of the audit: what the derivation hides, in this run's own numbers. */
export interface AuditPoint {
  /** as the method numbers them */
  point: number;
  title: string;
  /** null where infinite or not measured */
  numbers: Readonly<Record<string, number | null | readonly (number | null)[]>>;
  /** `fine`: what is claimed holds here; `caution`: it does not follow, or only in part; `fails`: the numbers say no */
  verdict: 'fine' | 'caution' | 'fails' | 'not_measured';
  sentence: string;
}

/** What the audit is made from. What is null was not measured. */
export interface AuditInput {
  table: ScheduleTable;
  steps: readonly LoggedStep[];
  verdict: Verdict;
  method: Pick<Method, 'objective' | 'primary_weight' | 'q'>;
  /** steps whose ᾱ_t lies outside the U-Net's training range */
  clamped_timesteps: number | null;
  /** mean |Z_A − Z_B| outside both figures on held-out pairs, images in [−1, 1] */
  scene_drift: { primary: number; secondary: number } | null;
  detector: DetectorNumbers | null;
  /** what the stage `audit` measured on the trained models */
  measured: AuditResult | null;
  /** both sides of Eq. 33 throughout training */
  gradients: readonly Omit<GradientsEvent, 'type' | 'time'>[];
  /** the gradient self-test before the first step */
  gate: readonly Omit<GateEvent, 'type' | 'time'>[];
}

export interface DetectorNumbers {
  /** mean keypoint error of the secondary's pictures by the detector of the loss and by the judge, pixels */
  in_loss_error_px: number;
  held_out_error_px: number;
  /** share of generated pictures in which the judge finds a person */
  detection_rate: number;
}

/** An answer for a point whose measurements are missing. */
export const notMeasured = (point: number, title: string, sentence: string): AuditPoint => ({
  point,
  title,
  numbers: {},
  verdict: 'not_measured',
  sentence,
});

/** Mean over values; NaN for none. */
export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** JSON has no NaN and no infinity. */
export const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

const isKnown = (value: number | null | undefined): value is number => Number.isFinite(value);

/** Three significant digits, with a power of ten from a million on. */
export const say = (value: number | null | undefined): string => {
  if (!isKnown(value)) return 'not known';
  return Math.abs(value) < 1e6 ? `${Number(value.toPrecision(3))}` : value.toExponential(2).replace('e+', 'e');
};

export const sayPercent = (value: number | null | undefined): string =>
  isKnown(value) ? `${Number((100 * value).toPrecision(2))} %` : 'not known';
