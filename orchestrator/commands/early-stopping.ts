import { groupOf, type SweepPlan, type SweepTrial, type TrialCut } from '../contracts/sweep.ts';
import { PosetwinError } from '../errors.ts';
import { type Rival, reasonToCut, standingCut } from '../plan/early-stopping.ts';
import { chooseRun, HeldOutFiles, SweepFolder } from '../runs/index.ts';
import type { AskRule } from '../stages/context.ts';

/** Those that the plan asks for and the rule compares with this one. */
const comparable = (trial: SweepTrial, { sweep: { early_stopping: rule }, trials }: SweepPlan): SweepTrial[] =>
  rule === null
    ? []
    : trials.filter(
        ({ id, orphaned, experiment }) =>
          id !== trial.id && !orphaned && groupOf(rule, experiment) === groupOf(rule, trial.experiment),
      );

/** Of trials that share a training one counts, and none that shares this trial's own. */
const rivalsOf = async (trial: SweepTrial, others: readonly SweepTrial[], files: HeldOutFiles): Promise<Rival[]> => {
  const trainingOf = async ({ id, experiment }: SweepTrial) => ({
    trial: id,
    ...(await files.of(chooseRun(experiment, { fresh: false }).run)),
  });
  const { stage: own } = await trainingOf(trial);
  const found = (await Promise.all(others.map(trainingOf))).filter(({ stage }) => stage !== own);
  return [...new Map(found.map(rival => [rival.stage, rival])).values()];
};

/**
 * The rule of the sweep that the trial belongs to, by the frozen plan and what lies in the folders of all trials;
 * undefined where it has none. A cut is written down before it is told, so that a trial that dies of it is cut again.
 */
export const ruleFor = async (trial: SweepTrial): Promise<AskRule | undefined> => {
  const folder = new SweepFolder(trial.experiment.name);
  const plan = await folder.plan();
  if (plan === undefined) throw new PosetwinError('bug', `${folder.relativePath} has lost its plan`);
  const rule = plan.sweep.early_stopping;
  if (rule === null) return undefined;
  const [others, files] = [comparable(trial, plan), new HeldOutFiles()];
  return async (step, own) => {
    const known = standingCut(await folder.cuts(), trial.id, rule);
    if (known?.step === step) return known;
    const reason = reasonToCut(rule, step, own, await rivalsOf(trial, others, files));
    if (reason === undefined) return undefined;
    const cut: TrialCut = { trial: trial.id, step, rule, ...reason, time: new Date().toISOString() };
    await folder.addCut(cut);
    return cut;
  };
};
