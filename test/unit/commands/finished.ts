/** Runs as they lie on disk when they are done, with made-up results: what is read need not be computed. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { StepEvent, WorkerEvent } from '../../../orchestrator/contracts/events.ts';
import type { Experiment } from '../../../orchestrator/contracts/experiment.ts';
import type { EvaluateResult, TrainResult } from '../../../orchestrator/contracts/results.ts';
import { stagesOf } from '../../../orchestrator/plan/plan.ts';
import { chooseRun, type RunFolder, Store, writeJson, writeLines } from '../../../orchestrator/runs/index.ts';
import type { Convergence } from '../../../orchestrator/stages/verdict.ts';
import { plan as planOf } from '../plan/experiment.ts';
import { judged } from '../report/audit-fixture.ts';
import { evaluation, reportData } from '../report/fixture.ts';

const data = reportData();

export interface Results {
  primary: number[];
  secondary: number[];
  steps?: readonly StepEvent[];
  weights?: string;
  refused?: boolean;
  /** a fingerprint in the keys of the stages */
  world?: string;
  packages?: Record<string, string>;
}

const started = (time: number): WorkerEvent => ({
  ...{ type: 'started', time, stage: 'train', world_size: 1, pid: 1, device: 'cpu', resumed_from: 0 },
});

const trained = ({ weights = 'a'.repeat(64), refused = false }: Results, steps: number): TrainResult => ({
  ...{ steps, stopped_early: false, refused, adapter: 'adapter', adapter_sha256: weights, best_step: null },
  ...{ num_trained_parameters: 1, device: 'cpu' },
});

const smoke: WorkerEvent = {
  ...{ type: 'smoke', time: 1_700_000_000, num_samples: [8], duration_ms: 9, peak_memory_bytes: 3 * 2 ** 30 },
};

const write = async (folder: string, files: Record<string, unknown>): Promise<void> => {
  mkdirSync(folder, { recursive: true });
  for (const [name, value] of Object.entries(files)) await writeJson(join(folder, name), value);
};

/** Fills run folder and store for one experiment; `fresh` counts the runs that started over. */
export const finishRun = async (experiment: Experiment, results: Results, fresh = false): Promise<RunFolder> => {
  const { run, fresh: counter } = chooseRun(experiment, { fresh });
  const { steps = data.steps.slice(0, 50), world = 'world 1' } = results;
  const prints = {
    sources: [world],
    captioner: null,
    backbone: 'b',
    adapter: 'a',
    detector: 'd',
    judge: 'j',
    figure_pose: '',
  };
  const plan = planOf(experiment, { salt: counter === 0 ? '' : `fresh ${counter}`, prints });
  const store = new Store();
  await run.begin({ experiment, origins: {}, fresh: counter, file: 'x.yaml' });
  await run.writePlan(plan, store);
  for (const stage of stagesOf(plan).filter(planned => store.state(planned) === 'absent')) {
    mkdirSync(store.partial(stage), { recursive: true });
    await store.finish(stage, { finished: '2024-05-06T07:08:09Z', seconds: 12, code_digest: 'c' });
  }
  const evaluate: EvaluateResult = evaluation(results.primary, results.secondary);
  const convergence: Convergence = {
    ...{ verdict: judged([...steps], 30), audit: [], q_shares: [] },
    refused: results.refused ?? false,
  };
  await write(store.folder(plan.stages.evaluate), { 'result.json': evaluate });
  await write(store.folder(plan.stages.verdict), { 'convergence.json': convergence });
  await write(store.folder(plan.stages.train), { 'result.json': trained(results, steps.length) });
  await writeLines(join(store.folder(plan.stages.train), 'events.jsonl'), [started(1_700_000_000), smoke, ...steps]);
  const environment = { python: '3.11.7', packages: results.packages ?? { torch: '2.6.0' }, devices: [] };
  const git = { commit: 'abc', dirty: false };
  const machine = { node: 'v20', hostname: 'here', platform: 'linux', cores: 2, memory_mb: 8 };
  await write(run.path, {
    'preflight.json': { passed: '', environment, memory: [] },
    'provenance.json': { argv: [], git, code_digest: 'c', ...machine, packages: {}, started: '' },
    'result.json': { verdict: { ...data.verdict, steps: steps.length }, summary: data.summary },
    'report.html': '',
  });
  await run.writeStatus({
    ...{ status: 'done', started: '2024', finished: '2024', report: null, code: null, message: null, process: null },
  });
  return run;
};

/** The run of an experiment that ended with an error. */
export const failRun = async (experiment: Experiment, code: string): Promise<RunFolder> => {
  const { run } = chooseRun(experiment, { fresh: false });
  await run.begin({ experiment, origins: {}, fresh: 0, file: 'x.yaml' });
  const ended = { started: '2024', finished: '2024', report: null, message: 'why', process: null };
  await run.writeStatus({ status: 'failed', code, ...ended });
  return run;
};
