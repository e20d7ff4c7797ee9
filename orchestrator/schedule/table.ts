import type { Schedule } from '../contracts/schedule.ts';
import type { SingularStep } from './singular.ts';

/** What a reader should know of a schedule before trusting it, as data (audit, points 8 and 9). */
export interface ScheduleDiagnostics {
  /** ᾱ_t falls at every step */
  monotone: boolean;
  /** ᾱ_T / (1 − ᾱ_T); null where infinite */
  terminal_snr: number | null;
  /** √((1 − ᾱ_t) / ᾱ_t), by which the one-step image magnifies an error in ε_θ; null where infinite */
  gain: (number | null)[];
  /** share of each t in Q, a fraction; 0 where α_t = 1 is left out */
  q_shares: number[];
  /** share of the clamped t in Q: under `clamp` eps sets it */
  clamped_share_of_q: number;
  /** t where ᾱ_t is not 0 but lost, or 1 − ᾱ_t is not 0 but rounds away, in that format */
  outside_float32: number[];
  outside_float16: number[];
}

/** A schedule in float64. Arrays have length T and are indexed t − 1 (t = 1 cleanest), also under `singular: drop`. */
export interface ScheduleTable {
  num_steps: number;
  kind: Schedule['kind'];
  alphas: number[];
  alphas_cumprod: number[];
  /** null where alphas_cumprod is exactly 0; finite where it underflows */
  log_alphas_cumprod: (number | null)[];
  /** w(t) of Eq. 13; null where infinite or undefined */
  w: (number | null)[];
  /** α_t / (1 − α_t), Q's summand; null where α_t = 1 */
  odds: (number | null)[];
  singular: SingularStep[];
  /** t that are never trained on */
  dropped: number[];
  /** t whose values `singular: clamp` moved */
  clamped: number[];
  /** 0-based timesteps of the training schedule; null unless respaced from one */
  train_timesteps: number[] | null;
  diagnostics: ScheduleDiagnostics;
}
