import { join } from 'node:path';
import type { Experiment } from '../contracts/experiment.ts';
import { describeLaunch } from '../executors/local.ts';
import { type Plan, type PlannedStage, stagesOf } from '../plan/plan.ts';
import { locatePython } from '../processes/python-setup.ts';
import { chooseRun, codeDigest, type RunFolder, Store } from '../runs/index.ts';
import { describeMemory } from '../stages/memory.ts';
import { keptMemory } from '../stages/preflight.ts';
import { explainState } from '../stages/why.ts';
import { loadFrozen } from './load-frozen.ts';
import { loadChecked, makePlan } from './prepare.ts';
import { showSweepPlan } from './sweep-plan.ts';
import { formatTable } from './table.ts';

export interface PlanOptions {
  set: readonly string[];
  sweep: readonly string[];
  fresh: boolean;
  /** one JSON object instead of a table */
  json: boolean;
}

const states = { done: 'cached', partial: 'resume', absent: 'to do' } as const;
const inThisProcess: readonly string[] = ['verdict'];

interface Row {
  stage: string;
  key: string;
  state: (typeof states)[keyof typeof states];
  why: string;
  command: string;
}

const shapeOf = ({ train, primary }: Experiment, { name }: PlannedStage) => {
  const settings = name === 'train' ? train : name === 'primary' ? primary?.train : undefined;
  return { nnodes: settings?.nnodes ?? 1, nproc_per_node: settings?.nproc_per_node ?? 1 };
};

const commandOf = (experiment: Experiment, run: RunFolder, store: Store, stage: PlannedStage): string =>
  inThisProcess.includes(stage.name)
    ? '(in this process)'
    : describeLaunch({
        job: { num_threads: experiment.num_threads },
        job_file: join(store.partial(stage), 'job.json'),
        setup: locatePython(),
        ...shapeOf(experiment, stage),
        log_dir: run.file('logs', stage.name),
      });

const rowsOf = async (experiment: Experiment, plan: Plan, run: RunFolder, store: Store): Promise<Row[]> => {
  const digest = await codeDigest();
  return Promise.all(
    stagesOf(plan)
      .filter(stage => stage.name !== 'report')
      .map(async stage => {
        const [state, why] = await explainState(store, stage, digest);
        const command = commandOf(experiment, run, store, stage);
        return { stage: stage.name, key: stage.key, state: states[state], why, command };
      }),
  );
};

/**
 * `posetwin plan x.yaml`, `run --dry-run`: every stage, cached or to do and why, and the exact commands; of a sweep every
 * trial. Answers 0, 2.
 */
export const showPlan = async (file: string, { set, sweep, fresh, json }: PlanOptions): Promise<number> => {
  const trials = await loadFrozen(file, { set, sweep });
  if (trials !== undefined) return showSweepPlan(trials, json);
  const loaded = loadChecked(file, { set, json });
  if ('exitCode' in loaded) return loaded.exitCode;
  const store = new Store();
  const { run, fresh: counter } = chooseRun(loaded.experiment, { fresh });
  const plan = await makePlan(loaded, counter, store);
  const rows = await rowsOf(loaded.experiment, plan, run, store);
  // No Python is started for a plan: only what a preflight of this very run has found is shown.
  const memory = await keptMemory({ run, plan });
  if (json) {
    console.log(JSON.stringify({ run: `${run.name}/${run.id}`, folder: run.path, stages: rows, memory }, null, 2));
    return 0;
  }
  console.log(`run ${run.name}/${run.id} in ${run.relativePath}\n`);
  console.log(formatTable([['stage', 'state', 'key', 'why'], ...rows.map(r => [r.stage, r.state, r.key, r.why])]));
  console.log(
    `\nmemory: ${memory.map(describeMemory).join('\n        ') || `not asked yet; posetwin memory ${file} does`}`,
  );
  console.log('\ncommands:');
  for (const { stage, state, command } of rows) if (state !== 'cached') console.log(`  ${stage}: ${command}`);
  return 0;
};
