import { meanOf } from '../bootstrap.ts';
import type { LoggedStep, LoggedVisit } from '../series.ts';
import { type AuditInput, type AuditPoint, say, sayPercent } from './point.ts';

const SHARE = 0.2;

/** Means of a term over the first and the last fifth of a run; null where a value is missing. */
const firstAndLast = (steps: readonly LoggedStep[], name: 'score_difference' | 'scene'): (number | null)[] => {
  const count = Math.max(Math.floor(steps.length * SHARE), 1);
  return [steps.slice(0, count), steps.slice(-count)].map(part => {
    const visits: LoggedVisit[] = part.flatMap(step => step.visits);
    const mean = meanOf(visits.map(({ terms }) => terms[name] ?? Number.NaN));
    return Number.isFinite(mean) ? mean : null;
  });
};

const sceneSentence = ({ method: { objective }, scene_drift }: AuditInput, seesScene: boolean): string => {
  const held = seesScene
    ? `The objective \`${objective}\` holds a term that sees the scene`
    : `The objective \`${objective}\` is about keypoints alone: nothing in it keeps the scene`;
  if (scene_drift === null) return `${held}; scene drift was not measured.`;
  const { primary, secondary } = scene_drift;
  return `${held}; scene drift on held-out pairs is ${say(secondary)} with the secondary and ${say(primary)} with the primary.`;
};

/** Point 1: is "only the pose changes" in what was optimised, and what came of it? */
export const sceneTerm = (input: AuditInput): AuditPoint => {
  const { method, scene_drift: drift, steps } = input;
  const seesScene = method.objective !== 'patent';
  const worse = drift !== null && drift.secondary > drift.primary;
  return {
    point: 1,
    title: 'The trained objective holds no scene term',
    numbers: {
      score_difference_first_and_last: firstAndLast(steps, 'score_difference'),
      scene_first_and_last: firstAndLast(steps, 'scene'),
      scene_drift_primary: drift?.primary ?? null,
      scene_drift_secondary: drift?.secondary ?? null,
    },
    verdict: drift === null ? 'not_measured' : worse ? 'fails' : seesScene ? 'fine' : 'caution',
    sentence: sceneSentence(input, seesScene),
  };
};

/** Point 2: ΔL is not the minimum; L* is, and for a perfect primary L* : ΔL = Q/(Q + 1). */
export const notTheMinimum = ({ verdict }: AuditInput): AuditPoint => {
  const { achieved, delta_l, lower_bound, q, gap, error_to_delta_l, error_to_lower_bound } = verdict;
  const errors = { error_to_delta_l, error_to_lower_bound };
  const numbers = { q, delta_l, lower_bound, achieved: achieved?.mean ?? null, ...errors, gap };
  const title = 'ΔL is not the minimum';
  if (lower_bound === null || achieved === null) {
    const sentence =
      verdict.steps === 0
        ? 'ΔL and L* cannot be compared with a loss: training made no step.'
        : 'ΔL and L* do not apply: the loss is not finite, or Eq. 20 is read with its constant inside.';
    return { point: 2, title, numbers, verdict: 'not_measured', sentence };
  }
  return {
    point: 2,
    title,
    numbers,
    verdict: achieved.high < lower_bound ? 'fails' : 'caution',
    sentence: `With Q = ${say(q)} the loss can fall to L* = ${say(lower_bound)}, which a perfect primary puts ${sayPercent(gap)} below ΔL; it is at ${say(achieved.mean)}, against ΔL = ${say(delta_l)}. A loss below ΔL is no error, and being near ΔL is no proof of an optimum.`,
  };
};

/** Point 3: what being at this loss proves about the pose. */
export const whatItProves = ({ verdict }: AuditInput): AuditPoint => {
  const { pose_bound, pose_error, pose_distance, q } = verdict;
  return {
    point: 3,
    title: 'What being at ΔL proves',
    numbers: { pose_bound, pose_error, pose_distance, q },
    verdict: pose_bound === null ? 'not_measured' : pose_bound < 0.1 ? 'fine' : 'caution',
    sentence:
      pose_bound === null
        ? 'No bound on the pose follows from this loss.'
        : `By the detector of the loss, the pose is off by at most ${sayPercent(pose_bound)} of the distance between the two poses (root mean square); it was off by ${sayPercent(pose_error)}.`,
  };
};
