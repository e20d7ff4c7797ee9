export { buildSchedule, trainableSteps } from './build.ts';
export { everyQ, type QReading, qReadings, resolveQ } from './q.ts';
export { MIN_NORMAL, type SingularStep, singularQuantities } from './singular.ts';
export { type MatchedTimesteps, snrMatchedTimesteps } from './snr-matched.ts';
export { type Spacing, spaceTimesteps } from './spacing.ts';
export { oneMinus } from './steps.ts';
export type { ScheduleDiagnostics, ScheduleTable } from './table.ts';
export { type BackboneSchedule, trainingSchedule } from './training.ts';
