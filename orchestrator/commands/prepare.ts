import { type Diagnostic, formatDiagnostics } from '../config/diagnostics.ts';
import type { LoadedExperiment } from '../config/load.ts';
import { type Plan, planExperiment } from '../plan/plan.ts';
import { Fingerprints, type Store } from '../runs/index.ts';
import { backboneSchedule } from '../stages/backbone-schedule.ts';
import { fingerprintsOf } from '../stages/fingerprints.ts';
import { poseLibrary } from '../stages/poses.ts';
import type { Services } from '../stages/services.ts';
import { checkExperiment } from './check.ts';
import { exitCodes } from './exit-codes.ts';

/** Prints what is wrong with an experiment file and gives the exit code. */
export const refuse = (diagnostics: readonly Diagnostic[], json: boolean): { exitCode: number } => {
  if (json) console.log(JSON.stringify({ type: 'invalid', diagnostics }));
  else console.error(formatDiagnostics(diagnostics));
  return { exitCode: exitCodes.config };
};

/** The experiment, checked; else its errors are printed and the exit code is given. */
export const loadChecked = (
  file: string,
  { set, json }: { set: readonly string[]; json: boolean },
): LoadedExperiment | { exitCode: number } => {
  const checked = checkExperiment(file, { set });
  return checked.ok ? checked : refuse(checked.diagnostics, json);
};

/** The salt of `--fresh`: runs that start over share nothing with those before. */
const saltOf = (fresh: number): string => (fresh === 0 ? '' : `fresh ${fresh}`);

/**
 * The plan with its keys. With `services` Python is asked for the pose library where it is not remembered; without,
 * nothing is started, and a world that nobody has asked about yet counts as unknown.
 */
export const makePlan = async (
  { experiment }: Pick<LoadedExperiment, 'experiment'>,
  fresh: number,
  store: Store,
  services?: Services,
): Promise<Plan> => {
  const prints = new Fingerprints(store.memory('fingerprints.json'));
  const library = await poseLibrary(experiment, store, prints, services);
  return planExperiment(experiment, {
    salt: saltOf(fresh),
    prints: await fingerprintsOf(experiment, prints, library),
    backbone_schedule: await backboneSchedule(experiment.backbone),
  });
};
