import { describeAssignment } from '../config/assignment-text.ts';
import type { LoadedSweep, Search } from '../config/sweep.ts';
import { stagesOf } from '../plan/plan.ts';
import { changeTrials } from '../plan/sweep.ts';
import { Store, SweepFolder } from '../runs/index.ts';
import { exitCodes } from './exit-codes.ts';
import { refuse } from './prepare.ts';
import { type PreparedTrial, prepareSweep } from './sweep-prepare.ts';
import { changeLines, describeSharing, describeSingular } from './sweep-text.ts';
import { formatTable } from './table.ts';

type StageState = 'cached' | 'resume' | 'shared' | 'to do';

interface Row {
  trial: PreparedTrial;
  stages: { stage: string; key: string; state: StageState }[];
}

const states = { done: 'cached', partial: 'resume', absent: 'to do' } as const;

/** A stage that is to do is shared where an earlier trial of the sweep makes it. */
const rowsOf = (trials: readonly PreparedTrial[], store: Store): Row[] => {
  const made = new Set<string>();
  return trials.map(trial => ({
    trial,
    stages: stagesOf(trial.plan)
      .filter(({ name }) => name !== 'report')
      .map(stage => {
        const [key, state] = [`${stage.name} ${stage.key}`, store.state(stage)];
        const isShared = state !== 'done' && made.has(key);
        made.add(key);
        return { stage: stage.name, key: stage.key, state: isShared ? 'shared' : states[state] };
      }),
  }));
};

const tableOf = (rows: readonly Row[]): string => {
  const names = [...new Set(rows.flatMap(({ stages }) => stages.map(({ stage }) => stage)))];
  const body = rows.map(({ trial: { trial }, stages }) => [
    trial.id,
    describeAssignment(trial.assignment),
    ...names.map(name => stages.find(({ stage }) => stage === name)?.state ?? '-'),
    describeSingular(trial.singular),
  ]);
  return formatTable([['trial', 'assignment', ...names, 'schedule'], ...body]);
};

/** Before its first command a search has no trial. */
const showSearch = ({ name, max_trials }: Search, json: boolean): number => {
  if (json) console.log(JSON.stringify({ name, max_trials, trials: [] }, null, 2));
  else console.log(`search ${name}: at most ${max_trials} trials, none chosen so far`);
  return exitCodes.done;
};

/**
 * `posetwin plan x.yaml`, `run --dry-run` of a file with `sweep`: every trial with each stage cached, shared with a trial
 * above, or to do, and what has changed since the plan was frozen. Nothing is written. Answers 0 or 2.
 */
export const showSweepPlan = async (loaded: LoadedSweep, json: boolean): Promise<number> => {
  if (loaded.ok && loaded.search !== null && loaded.trials.length === 0) return showSearch(loaded.search, json);
  const store = new Store();
  const prepared = await prepareSweep(loaded, store);
  if (Array.isArray(prepared)) return refuse(prepared, json).exitCode;
  const { frozen, trials } = prepared;
  const folder = new SweepFolder(frozen.name);
  const { changes } = changeTrials((await folder.plan())?.trials ?? [], frozen.trials);
  const rows = rowsOf(trials, store);
  if (json) {
    const shown = rows.map(({ trial: { trial, run }, stages }) => {
      const { id, assignment, singular } = trial;
      return { id, assignment, run: run.relativePath, singular, stages };
    });
    const marked = changes.map(({ mark, trial: { id, assignment } }) => ({ mark, id, assignment }));
    console.log(JSON.stringify({ name: frozen.name, stages: frozen.stages, trials: shown, changes: marked }, null, 2));
    return exitCodes.done;
  }
  console.log(`sweep ${frozen.name}: ${describeSharing(frozen)}\n`);
  console.log(tableOf(rows));
  const lines = changeLines(changes);
  if (lines.length > 0) console.log(`\n${lines.join('\n')}`);
  return exitCodes.done;
};
