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
  objective: 'patent' | 'score' | 'score+pose' | 'patent+scene';
  /** steps whose ᾱ_t lies outside the U-Net's training range */
  clamped_timesteps: number | null;
  /** mean |Z_A − Z_B| outside both figures on held-out pairs, images in [−1, 1] */
  scene_drift: { primary: number; secondary: number } | null;
  detector: DetectorNumbers | null;
}

export interface DetectorNumbers {
  /** rms error of the in-loss detector on real images, in fractions of the frame */
  error_floor: number | null;
  /** mean keypoint error of the secondary's pictures by the detector of the loss and by the judge, pixels */
  in_loss_error_px: number;
  held_out_error_px: number;
  /** share of generated pictures in which the judge finds a person */
  detection_rate: number;
}

/** Three significant digits. */
export const say = (value: number | null | undefined): string =>
  value === null || value === undefined ? 'not known' : `${Number(value.toPrecision(3))}`;

export const sayPercent = (value: number | null | undefined): string =>
  value === null || value === undefined ? 'not known' : `${Number((100 * value).toPrecision(2))} %`;
