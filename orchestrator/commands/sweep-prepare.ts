import { type Diagnostic, sortDiagnostics } from '../config/diagnostics.ts';
import { diagnose, type LoadedExperiment, type LoadResult } from '../config/load.ts';
import type { LoadedSweep, LoadedTrial } from '../config/sweep.ts';
import { sweepDiagnostics } from '../config/sweep-diagnostics.ts';
import type { Slurm } from '../contracts/slurm.ts';
import type { SweepPlan, SweepTrial } from '../contracts/sweep.ts';
import { PosetwinError } from '../errors.ts';
import type { Plan } from '../plan/plan.ts';
import { runId } from '../plan/run-id.ts';
import { countStages, singularNotes, withoutRepetition } from '../plan/sweep.ts';
import { chooseRun, type RunFolder, type Store } from '../runs/index.ts';
import { checkLoaded } from './check.ts';
import { makePlan } from './prepare.ts';

export interface PreparedTrial {
  trial: SweepTrial;
  /** the folder of the ordinary run that the trial is */
  run: RunFolder;
  plan: Plan;
}

export interface PreparedSweep {
  /** null: trials run on this machine */
  slurm: Slurm | null;
  /** as the file asks for it now, before what was frozen is looked at */
  frozen: SweepPlan;
  trials: PreparedTrial[];
}

/** Every trial with everything checked that needs no Python. */
const checkTrials = ({ trials }: { trials: readonly LoadedTrial[] }): LoadedTrial[] =>
  trials.map(({ assignment, result }) => ({ assignment, result: checkLoaded(result) }));

/** Everything that is wrong with a sweep and with each of its trials. */
export const checkSweep = (loaded: LoadedSweep): Diagnostic[] =>
  loaded.ok ? sweepDiagnostics(checkTrials(loaded), loaded.file) : loaded.diagnostics;

type Planned = LoadedExperiment & { plan: Plan };

/** What is found only beside the backbone is told like the rest: at its line and column. */
const planTrial = async (loaded: LoadedExperiment, store: Store): Promise<Planned | (LoadResult & { ok: false })> => {
  try {
    const { fresh } = chooseRun(loaded.experiment, { fresh: false });
    return { ...loaded, plan: await makePlan(loaded, fresh, store) };
  } catch (error) {
    if (!(error instanceof PosetwinError) || error.class !== 'config') throw error;
    const { code, message, hint, details } = error;
    return { ok: false, diagnostics: [diagnose(loaded, { code, message, path: details.path ?? '', hint })] };
  }
};

const freeze = (assignment: SweepTrial['assignment'], { experiment, origins }: LoadedExperiment): SweepTrial => ({
  id: runId(experiment),
  assignment,
  experiment,
  origins,
  singular: singularNotes(experiment.schedule),
  orphaned: false,
});

const prepareTrial = (assignment: SweepTrial['assignment'], loaded: Planned): PreparedTrial => ({
  trial: freeze(assignment, loaded),
  run: chooseRun(loaded.experiment, { fresh: false }).run,
  plan: loaded.plan,
});

const unrepeated = (trials: readonly PreparedTrial[]): PreparedTrial[] => {
  const kept = new Set(withoutRepetition(trials.map(({ trial }) => trial)));
  return trials.filter(({ trial }) => kept.has(trial));
};

/** Every trial resolved, checked and planned, or everything that is wrong. No Python is started. */
export const prepareSweep = async (loaded: LoadedSweep, store: Store): Promise<PreparedSweep | Diagnostic[]> => {
  if (!loaded.ok) return loaded.diagnostics;
  const { file, sweep, slurm } = loaded;
  const planned: { assignment: SweepTrial['assignment']; result: Planned | (LoadResult & { ok: false }) }[] = [];
  for (const { assignment, result } of checkTrials(loaded))
    planned.push({ assignment, result: result.ok ? await planTrial(result, store) : result });
  const wrong = sweepDiagnostics(planned, file);
  if (wrong.length > 0) return sortDiagnostics(wrong, file);
  const trials = unrepeated(
    planned.flatMap(({ assignment, result }) => (result.ok ? [prepareTrial(assignment, result)] : [])),
  );
  const [first] = trials;
  if (first === undefined) throw new PosetwinError('bug', 'a sweep without trials was let through');
  const { name } = first.trial.experiment;
  const stages = countStages(trials.map(({ plan }) => plan));
  return {
    slurm,
    frozen: { name, file, sweep, stages, estimate: null, trials: trials.map(({ trial }) => trial) },
    trials,
  };
};
