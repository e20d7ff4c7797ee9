import { join } from 'node:path';
import type { z } from 'zod';
import type { WorkerEvent } from '../contracts/events.ts';
import type { TrainJob } from '../contracts/job.ts';
import type { TrialCut } from '../contracts/sweep.ts';
import { checkLogged, decide } from '../convergence/index.ts';
import { PosetwinError } from '../errors.ts';
import { describeCut } from '../plan/early-stopping.ts';
import { DecisionJournal, heldOutPose, lastSteps, readEvents } from '../runs/index.ts';
import type { RunContext } from './context.ts';
import { primaryPath } from './primary.ts';
import type { Stage } from './stage.ts';
import { runWorkerStage } from './worker-stage.ts';

type TrainSpec = z.output<typeof TrainJob>['spec'];

/** Steps in which every trainable t is visited once. */
export const cycleOf = ({ trainable }: TrainSpec['schedule']): number => trainable.filter(Boolean).length;

/** The window of the plateau test: a step that visits every t is a whole cycle by itself. */
export const seriesOptions = ({
  seed,
  convergence,
  schedule,
  method,
}: Pick<TrainSpec, 'seed' | 'convergence' | 'schedule' | 'method'>) => ({
  ...convergence,
  seed,
  cycle: method.update === 'per-trajectory' ? 1 : cycleOf(schedule),
});

/** What a loss of the secondary adapter is computed from. */
export const learningInputs = (context: RunContext) => ({
  assemble: context.store.folder(context.plan.stages.assemble),
  cache: context.store.folder(context.plan.stages.cache),
  features: context.store.folder(context.plan.stages.features),
  primary: primaryPath(context),
});

/** What a training is told by, and what to do when the rule of a sweep cuts it. */
interface Listening {
  journal: DecisionJournal;
  history: WorkerEvent[];
  onCut: (cut: TrialCut) => void;
}

/**
 * Listens to a training: checks every logged loss and answers every boundary, from the journal where it can. A cut gives
 * no answer: the training is not over, and whoever goes on with it is asked again.
 */
const listener = (context: RunContext, { journal, history, onCut }: Listening) => {
  const { spec } = context.plan.stages.train;
  const { q } = spec.schedule;
  const cutAfter = async (step: number): Promise<TrialCut | undefined> =>
    step < spec.train.max_train_steps && (await journal.find(step)) === undefined
      ? context.askRule?.(step, heldOutPose(history))
      : undefined;
  return async (event: WorkerEvent): Promise<void> => {
    history.push(event);
    if (event.type === 'step') checkLogged(event, q);
    if (event.type !== 'boundary') return;
    const answer = decide(lastSteps(history), event.step, q, seriesOptions(spec));
    const cut = answer.decision === 'stop' ? undefined : await cutAfter(event.step);
    if (cut !== undefined) return onCut(cut);
    const decision = await journal.answer(event.step, () => answer);
    context.emit({ type: 'decision', stage: 'train', decision });
  };
};

/** Stopped as by Ctrl-C, with all saved. */
const isCancelled = (error: unknown): boolean => error instanceof PosetwinError && error.code === 'cancelled';

const cutShort = (cut: TrialCut): PosetwinError =>
  new PosetwinError('cut_short', describeCut(cut), {
    hint: `its checkpoint is kept: --trial ${cut.trial} goes on with it all the same`,
  });

/**
 * Training of the secondary adapter (Eq. 40, 43) in Python, its convergence decided here. Goes on from the newest valid
 * checkpoint; answers once journalled are never decided anew. Raises `loss_mismatch`, `cut_short` where the rule of a
 * sweep has ended it with a checkpoint, and what the worker raises.
 */
export const train: Stage = {
  name: 'train',
  async run(context, folder) {
    const journal = new DecisionJournal(join(folder, 'decisions.jsonl'));
    const history = await readEvents(join(folder, 'events.jsonl'));
    const cuts: TrialCut[] = [];
    const end = new AbortController();
    const onCut = (cut: TrialCut): void => {
      cuts.push(cut);
      end.abort();
    };
    const interrupts = { ...context.interrupts, stop: AbortSignal.any([context.interrupts.stop, end.signal]) };
    try {
      await runWorkerStage({ ...context, interrupts }, 'train', folder, {
        inputs: { ...learningInputs(context), decisions: journal.file },
        nnodes: context.experiment.train.nnodes,
        nproc_per_node: context.experiment.train.nproc_per_node,
        onEvent: listener(context, { journal, history, onCut }),
      });
    } catch (error) {
      const [cut] = cuts;
      throw cut !== undefined && isCancelled(error) ? cutShort(cut) : error;
    }
  },
};
