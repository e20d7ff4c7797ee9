/** What is known of one trial of a sweep: what is compared, drawn and exported. */
import type { EvaluateResult, JudgedImage } from '../../contracts/results.ts';
import type { Schedule } from '../../contracts/schedule.ts';
import type { Assignment, SingularNote } from '../../contracts/sweep.ts';
import { meanOf } from '../../convergence/bootstrap.ts';
import { contentHash } from '../../plan/canonical.ts';
import { attributeAccuracy } from '../summary.ts';

/** What one route reaches on each held-out pair, by the judge. */
export interface RouteValues {
  keypoint_error_px: readonly number[];
  /** 0 … 2; empty where nothing was measured */
  scene_drift: readonly number[];
  /** 0 … 1; empty where no text names what the judge can see */
  attribute_accuracy: readonly number[];
}

/** Both adapters on the same pairs: index for index one prompt, one noise, one pose. */
export interface Measured {
  /** equal where two trials were judged on the same pairs */
  held_out: string;
  primary: RouteValues;
  secondary: RouteValues;
}

/** Losses mean something beside their own ΔL and L* alone; null: not finite, or no value of this objective. */
export interface TrialLoss {
  /** the schedule leaves no gradient: the secondary adapter is the primary as it was */
  refused: boolean;
  plateau: 'yes' | 'no' | 'too_short' | 'diverged';
  converged: boolean;
  steps: number;
  q: number | null;
  delta_l: number | null;
  lower_bound: number | null;
  achieved: number | null;
}

export interface TrialRecord {
  id: string;
  assignment: Assignment;
  seed: number;
  schedule: Schedule;
  singular: readonly SingularNote[];
  /** no longer asked for by the file */
  orphaned: boolean;
  /** as `posetwin status` shows it */
  state: string;
  code: string | null;
  /** the run folder, relative to the working directory */
  run: string;
  /** the run's report.html, relative to the sweep's folder; null before the end */
  report: string | null;
  /** null before the end */
  measured: Measured | null;
  loss: TrialLoss | null;
  /** of its worker, all starts together */
  train_seconds: number | null;
  evaluate_seconds: number | null;
  /** the most that training held on its device; null where the device does not tell */
  peak_memory_mb: number | null;
}

type EvaluatedPair = EvaluateResult['pairs'][number];

/** Over the pairs where both adapters have the value. */
const pairedValues = (pairs: readonly EvaluatedPair[], value: (image: JudgedImage) => number | null) => {
  const both = pairs.flatMap(({ primary, secondary }) => {
    const [first, second] = [value(primary), value(secondary)];
    return first === null || second === null ? [] : [[first, second] as const];
  });
  return { primary: both.map(([first]) => first), secondary: both.map(([, second]) => second) };
};

export const measuredOf = ({ pairs }: EvaluateResult): Measured => {
  const values = {
    keypoint_error_px: pairedValues(pairs, image => image.keypoint_error_px),
    scene_drift: pairedValues(pairs, image => image.scene_drift),
    attribute_accuracy: pairedValues(pairs, attributeAccuracy),
  };
  const of = (route: 'primary' | 'secondary'): RouteValues => ({
    keypoint_error_px: values.keypoint_error_px[route],
    scene_drift: values.scene_drift[route],
    attribute_accuracy: values.attribute_accuracy[route],
  });
  const held_out = contentHash(pairs.map(({ a, b, prompt, pose }) => [a, b, prompt, pose]));
  return { held_out, primary: of('primary'), secondary: of('secondary') };
};

/** Whether the trial has an adapter that training has made. */
export const isTrained = ({ measured, loss }: TrialRecord): boolean => measured !== null && loss?.refused === false;

/** Whether nothing more will come of it without a person. */
export const isEnded = ({ state }: TrialRecord): boolean => ['done', 'failed', 'diverged', 'cut'].includes(state);

const words: Readonly<Record<string, string>> = { dead_gradient: 'no gradient', diverged: 'diverged' };

/** What became of a trial in a word or two: `done`, `no gradient`, `diverged`, `failed out_of_memory`. */
export const outcomeOf = ({ state, code, loss }: TrialRecord): string => {
  if (loss?.refused) return words.dead_gradient ?? '';
  if (loss?.plateau === 'diverged') return words.diverged ?? '';
  const told = code === null ? undefined : (words[code] ?? `failed ${code}`);
  return state === 'failed' || state === 'diverged' ? (told ?? state) : state;
};

/** `part` as a multiple of `whole`; null where either has no value, or `whole` is 0. */
export const timesOf = (part: number | null, whole: number | null): number | null =>
  part === null || whole === null || whole === 0 ? null : part / whole;

/** Over the held-out pairs. */
export const meanOfSecondary = ({ measured }: TrialRecord, measure: keyof RouteValues): number | null => {
  const values = measured?.secondary[measure] ?? [];
  return values.length === 0 ? null : meanOf(values);
};

export const achievedToDeltaL = ({ loss }: TrialRecord): number | null =>
  timesOf(loss?.achieved ?? null, loss?.delta_l ?? null);

export const achievedToLowerBound = ({ loss }: TrialRecord): number | null =>
  timesOf(loss?.achieved ?? null, loss?.lower_bound ?? null);
