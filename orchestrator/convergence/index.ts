export { type AuditInput, type AuditPoint, audit, type DetectorNumbers } from './audit/index.ts';
export { type Interval, meanInterval, pairedBootstrap } from './bootstrap.ts';
export { type DecisionOptions, decide, type StepDecision } from './decide.ts';
export { achievedLoss, type Plateau, type PlateauOptions, type PlateauState, plateau } from './plateau.ts';
export {
  checkLogged,
  type LoggedStep,
  type LoggedVisit,
  lossOf,
  lossSeries,
  type QByStep,
  qAt,
  type SeriesPoint,
} from './series.ts';
export { type AtQ, type Verdict, type VerdictOptions, verdict } from './verdict.ts';
export { lastWindow, type WindowOptions, windowLength } from './window.ts';
