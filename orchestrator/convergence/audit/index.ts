import { trustedDetector } from './detector-point.ts';
import { notTheMinimum, sceneTerm, whatItProves } from './loss-points.ts';
import type { AuditInput, AuditPoint } from './point.ts';
import { sidesOfQ, soundSchedule } from './schedule-points.ts';

export type { AuditInput, AuditPoint, DetectorNumbers } from './point.ts';

/** The points that logged terms, schedule and given measurements can answer: 1, 2, 3, 8, 9, 10. */
export const audit = (input: AuditInput): AuditPoint[] =>
  [sceneTerm, notTheMinimum, whatItProves, sidesOfQ, soundSchedule, trustedDetector].map(point => point(input));
