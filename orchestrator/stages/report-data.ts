import { join } from 'node:path';
import { formatOrigin, type Origins } from '../config/origins.ts';
import { AuditResult, EvaluateResult, FigureResult } from '../contracts/results.ts';
import { openSet } from '../dataset/open-set.ts';
import { stagesOf } from '../plan/plan.ts';
import type { ReportData } from '../report/data.ts';
import { summarizeEvaluation } from '../report/summary.ts';
import { lastSteps, type Provenance, readEvents, readJson } from '../runs/index.ts';
import type { RunContext } from './context.ts';
import { readAssembled } from './report-samples.ts';
import { gradientsOf, readVerdict, reportVerdict, validationsOf } from './verdict.ts';

/** What the report shows and the stages do not know. */
export interface ReportFacts {
  origins: Origins;
  provenance: Provenance;
  /** stages whose result was there before this run */
  cached: ReadonlySet<string>;
  warnings: readonly { code: string; message: string }[];
}

const stageRows = ({ plan, store }: RunContext, cached: ReadonlySet<string>): Promise<ReportData['stages'][number][]> =>
  Promise.all(
    stagesOf(plan)
      .filter(({ name }) => name !== 'report')
      .map(async stage => {
        const { seconds } = await store.record(stage);
        return { name: stage.name, key: stage.key, cached: cached.has(stage.name), seconds };
      }),
  );

/** Reads everything that the report shows from the finished stages. Raises `corrupt_file`. */
export const collectReport = async (context: RunContext, facts: ReportFacts): Promise<ReportData> => {
  const { plan, store, run, experiment } = context;
  const [assemble, train, evaluate, figures] = [
    store.folder(plan.stages.assemble),
    store.folder(plan.stages.train),
    store.folder(plan.stages.evaluate),
    store.folder(plan.stages.figures),
  ];
  const evaluated = await readJson(join(evaluate, 'result.json'), EvaluateResult);
  const events = await readEvents(join(train, 'events.jsonl'));
  const convergence = await readVerdict(store.folder(plan.stages.verdict));
  return {
    run_id: run.id,
    finished: new Date().toISOString(),
    experiment,
    origins: Object.fromEntries(Object.entries(facts.origins).map(([path, origin]) => [path, formatOrigin(origin)])),
    stages: await stageRows(context, facts.cached),
    schedule: plan.stages.train.spec.schedule,
    q_shares: convergence.q_shares,
    steps: lastSteps(events),
    validations: validationsOf(events),
    gradients: gradientsOf(events),
    measured: await readJson(join(store.folder(plan.stages.audit), 'result.json'), AuditResult),
    verdict: reportVerdict(convergence),
    evaluate: evaluated,
    summary: summarizeEvaluation(evaluated),
    figure: await readJson(join(figures, 'result.json'), FigureResult),
    ...(await readAssembled(await openSet(assemble), evaluated)),
    provenance: facts.provenance,
    warnings: facts.warnings,
    folders: { evaluate, figures },
  };
};
