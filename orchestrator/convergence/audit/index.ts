import { firstStep, scaleOfQ, secondStep } from './derivation-points.ts';
import { trustedDetector } from './detector-point.ts';
import { equalGradients, liveGradients } from './gradient-points.ts';
import { notTheMinimum, sceneTerm, whatItProves } from './loss-points.ts';
import type { AuditInput, AuditPoint } from './point.ts';
import { sidesOfQ, soundSchedule } from './schedule-points.ts';

export type { AuditInput, AuditPoint, DetectorNumbers } from './point.ts';

const points = [
  sceneTerm,
  notTheMinimum,
  whatItProves,
  firstStep,
  secondStep,
  scaleOfQ,
  equalGradients,
  sidesOfQ,
  soundSchedule,
  trustedDetector,
  liveGradients,
];

/** The eleven points of what the derivation hides, in order, each with its numbers, a verdict and one sentence. */
export const audit = (input: AuditInput): AuditPoint[] => points.map(point => point(input));
