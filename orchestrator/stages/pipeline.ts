import { type StageName, stageNames } from '../plan/versions.ts';
import { requireNodes } from '../processes/slurm-job.ts';
import { assemble } from './assemble.ts';
import { audit } from './audit.ts';
import { cache, features } from './cache.ts';
import type { RunContext } from './context.ts';
import { baseline, evaluate } from './evaluate.ts';
import { figures } from './figures.ts';
import { index } from './index-sources.ts';
import { plannedTrainings } from './memory.ts';
import { hasPassed, preflightOnce } from './preflight.ts';
import { primary } from './primary.ts';
import { runStage } from './stage.ts';
import { train } from './train.ts';
import { verdict } from './verdict.ts';

/** A stage that the plan does without has nothing to do. */
const isDone = ({ store, plan }: RunContext, name: StageName): boolean => {
  const planned = plan.stages[name];
  return planned === null || store.state(planned) === 'done';
};

/** The stages whose results are there already. */
export const cachedStages = (context: RunContext): Set<StageName> =>
  new Set(stages.map(({ name }) => name).filter(name => isDone(context, name)));

const afterAssembly = [cache, primary, features, train, baseline, evaluate, audit, verdict, figures] as const;
const stages = [index, assemble, ...afterAssembly] as const;
const modelStages: ReadonlySet<StageName> = new Set(['cache', 'primary', 'train']);

/** Before anything is computed for a training that could not begin. */
const requireAllNodes = (context: RunContext, wanted: readonly StageName[]): void => {
  for (const { stage, section, settings } of plannedTrainings(context))
    if (wanted.includes(stage) && !isDone(context, stage)) requireNodes(settings.nnodes, `${section}.nnodes`);
};

const isWithin = (name: StageName, until: StageName): boolean => stageNames.indexOf(name) <= stageNames.indexOf(until);

/**
 * Every stage in order, or those up to `until`; what is in the store is not computed again, and when all is, no Python is started.
 * The models are checked over the bridge before anything is computed from them. Raises what the stages raise.
 */
export const runStages = async (context: RunContext, until: StageName = 'report'): Promise<void> => {
  const wanted = afterAssembly.filter(({ name }) => isWithin(name, until));
  requireAllNodes(
    context,
    wanted.map(({ name }) => name),
  );
  const needsModels = wanted.some(({ name }) => modelStages.has(name) && !isDone(context, name));
  const needsCheck = needsModels && !(await hasPassed(context));
  if (needsCheck) context.services.warmUp();
  await runStage(context, index);
  if (isWithin('assemble', until)) await runStage(context, assemble);
  if (needsCheck) await preflightOnce(context);
  // The workers load the same models: the bridge's copy would only take memory from them.
  await context.services.close();
  for (const stage of wanted) await runStage(context, stage);
};
