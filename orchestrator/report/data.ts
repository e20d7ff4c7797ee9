import type { Manifest, Rejected, Sample } from '../contracts/assembled.ts';
import type { GradientsEvent, StepEvent, ValidationEvent } from '../contracts/events.ts';
import type { Experiment } from '../contracts/experiment.ts';
import type { ResolvedSchedule } from '../contracts/job.ts';
import type { AuditResult, EvaluateResult, FigureResult } from '../contracts/results.ts';
import type { AtQ, Interval } from '../convergence/index.ts';
import type { EvaluationSummary } from './summary.ts';

/** One point of the audit, with this run's own numbers in its sentence. */
export interface AuditPoint {
  number: number;
  title: string;
  verdict: 'fine' | 'caution' | 'fails' | 'not_measured';
  sentence: string;
  /** null where infinite or not measured */
  numbers: Readonly<Record<string, number | null | readonly (number | null)[]>>;
}

/** What convergence found out. Losses are means of L_t over the plateau's window; null where a number is not finite. */
export interface ReportVerdict {
  /** training did not start: the schedule leaves no gradient */
  refused: boolean;
  on_plateau: boolean;
  /** on a plateau, and within `tolerance` of the theory value or below it */
  converged: boolean;
  tolerance: number;
  steps: number;
  achieved: Interval;
  q: number | null;
  delta_l: number | null;
  lower_bound: number | null;
  /** (achieved - ΔL) / ΔL and (achieved - L*) / L* */
  error_to_delta_l: number | null;
  error_to_lower_bound: number | null;
  /** upper bound of rms |b - b_0| as a fraction of the pose distance √D (audit, point 3) */
  pose_bound: number | null;
  /** the same run under every reading of Q */
  at_q: readonly AtQ[];
  audit: readonly AuditPoint[];
}

/** A sample with its picture and its control map, as PNG. */
export interface ShownSample extends Sample {
  png: { image: Buffer; control: Buffer };
}

/** Everything that the report shows. Pictures of the evaluation are read from `folders`; nothing else is read or computed anew. */
export interface ReportData {
  run_id: string;
  /** ISO 8601 */
  finished: string;
  experiment: Experiment;
  /** dotted path → where the value comes from: `default`, `file:line`, `--set` */
  origins: Readonly<Record<string, string>>;
  stages: readonly { name: string; key: string; cached: boolean; seconds: number }[];
  schedule: ResolvedSchedule;
  /** share of each t in Q, a fraction; index t - 1 */
  q_shares: readonly number[];
  steps: readonly StepEvent[];
  /** held-out losses during training; none where none were asked for */
  validations: readonly ValidationEvent[];
  /** both sides of Eq. 33 throughout training */
  gradients: readonly GradientsEvent[];
  measured: AuditResult;
  verdict: ReportVerdict;
  evaluate: EvaluateResult;
  summary: EvaluationSummary;
  figure: FigureResult;
  manifest: Manifest;
  /** those that the report shows: the first of training, and what the pairs of its contact sheet ask for */
  samples: readonly ShownSample[];
  /** the first ones of each code; `manifest.num_rejected` counts them all */
  rejected: readonly Rejected[];
  /** git, packages, hardware, hashes, as recorded at the start */
  provenance: object;
  warnings: readonly { code: string; message: string }[];
  folders: { evaluate: string; figures: string };
}
