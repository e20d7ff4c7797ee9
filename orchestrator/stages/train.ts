import { join } from 'node:path';
import type { z } from 'zod';
import type { WorkerEvent } from '../contracts/events.ts';
import type { TrainJob } from '../contracts/job.ts';
import { checkLogged, decide } from '../convergence/index.ts';
import { DecisionJournal, lastSteps, readEvents } from '../runs/index.ts';
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

/** Listens to a training: checks every logged loss and answers every boundary, from the journal where it can. */
const listener = (context: RunContext, journal: DecisionJournal, history: WorkerEvent[]) => {
  const { spec } = context.plan.stages.train;
  const { q } = spec.schedule;
  return async (event: WorkerEvent): Promise<void> => {
    history.push(event);
    if (event.type === 'step') checkLogged(event, q);
    if (event.type !== 'boundary') return;
    const decision = await journal.answer(event.step, () =>
      decide(lastSteps(history), event.step, q, seriesOptions(spec)),
    );
    context.emit({ type: 'decision', stage: 'train', decision });
  };
};

/**
 * Training of the secondary adapter (Eq. 40, 43) in Python, its convergence decided here. Goes on from the newest valid
 * checkpoint; answers once journalled are never decided anew. Raises `loss_mismatch`, and what the worker raises.
 */
export const train: Stage = {
  name: 'train',
  async run(context, folder) {
    const journal = new DecisionJournal(join(folder, 'decisions.jsonl'));
    const history = await readEvents(join(folder, 'events.jsonl'));
    await runWorkerStage(context, 'train', folder, {
      inputs: { ...learningInputs(context), decisions: journal.file },
      nnodes: context.experiment.train.nnodes,
      nproc_per_node: context.experiment.train.nproc_per_node,
      onEvent: listener(context, journal, history),
    });
  },
};
