import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { z } from 'zod';
import { Experiment } from '../contracts/experiment.ts';
import { type Plan, stagesOf } from '../plan/plan.ts';
import { runId } from '../plan/run-id.ts';
import { LockOwner } from '../processes/lock.ts';
import { readJsonIfThere, readText, writeJson } from './files.ts';
import type { Store } from './store.ts';

const Resolved = z.object({
  experiment: Experiment,
  origins: z.unknown(),
  fresh: z.int(),
  file: z.string(),
});
export type Resolved = z.output<typeof Resolved>;

const Status = z.object({
  status: z.enum(['running', 'done', 'failed', 'interrupted']),
  started: z.string(),
  finished: z.string().nullable(),
  /** key of the report that the folder holds */
  report: z.string().nullable(),
  code: z.string().nullable(),
  message: z.string().nullable(),
  /** who wrote it: `running` is true only while this process lives */
  process: LockOwner.nullable().default(null),
});
export type Status = z.output<typeof Status>;

const resolvedFile = 'experiment.resolved.json';
const StageFolders = z.record(z.string(), z.string());

/** `runs/<name>/<run-id>/`: what a person opens. The heavy files stay in the store; stages.json names them. */
export class RunFolder {
  readonly name: string;
  readonly id: string;
  readonly path: string;

  constructor(root: string, name: string, id: string) {
    this.name = name;
    this.id = id;
    this.path = join(root, name, id);
  }

  file(...names: string[]): string {
    return join(this.path, ...names);
  }

  get relativePath(): string {
    return relative(process.cwd(), this.path);
  }

  resolved(): Promise<Resolved | undefined> {
    return readJsonIfThere(this.file(resolvedFile), Resolved);
  }

  status(): Promise<Status | undefined> {
    return readJsonIfThere(this.file('status.json'), Status);
  }

  writeStatus(status: Status): Promise<void> {
    return writeJson(this.file('status.json'), status);
  }

  /** Stage → its folder in the store, relative to the run folder. */
  stageFolders(): Promise<Record<string, string> | undefined> {
    return readJsonIfThere(this.file('stages.json'), StageFolders);
  }

  /** The folder of one stage, or undefined while the stage is not done. */
  async stageFolder(stage: string): Promise<string | undefined> {
    const folder = (await this.stageFolders())?.[stage];
    const path = folder === undefined ? undefined : resolve(this.path, folder);
    return path !== undefined && existsSync(path) ? path : undefined;
  }

  async begin(resolved: Resolved): Promise<void> {
    await mkdir(this.file('logs'), { recursive: true });
    await writeJson(this.file(resolvedFile), resolved);
  }

  async writePlan(plan: Plan, store: Store): Promise<void> {
    await writeJson(this.file('plan.json'), { salt: plan.salt, stages: stagesOf(plan) });
    const stored = stagesOf(plan).filter(stage => stage.name !== 'report');
    const folders = stored.map(stage => [stage.name, relative(this.path, store.folder(stage))]);
    await writeJson(this.file('stages.json'), Object.fromEntries(folders));
  }
}

/** All run folders under `root`, whatever their state. */
export const listRuns = async (root = 'runs'): Promise<RunFolder[]> => {
  const folder = resolve(root);
  const names = await readdir(folder).catch(() => []);
  const nested = await Promise.all(
    names.map(async name =>
      (await readdir(join(folder, name)).catch(() => [])).map(id => new RunFolder(folder, name, id)),
    ),
  );
  const runs = nested.flat();
  const known = await Promise.all(runs.map(async run => (await readText(run.file(resolvedFile))) ?? ''));
  return runs.filter((_, index) => known[index] !== '');
};

/**
 * The run folder of this experiment: the same experiment gives the same folder, which is how the same command
 * continues. `fresh` starts one more beside it; without it the latest one goes on.
 */
export const chooseRun = (
  experiment: Experiment,
  { fresh, root = 'runs' }: { fresh: boolean; root?: string },
): { run: RunFolder; fresh: number } => {
  const runOf = (n: number) => new RunFolder(resolve(root), experiment.name, runId(experiment, n));
  const exists = (n: number) => existsSync(runOf(n).file(resolvedFile));
  let counter = 0;
  while (exists(counter + 1)) counter += 1;
  if (fresh) counter += exists(counter) ? 1 : 0;
  return { run: runOf(counter), fresh: counter };
};

/** The run of the same name that was started last, apart from `except`: what a changed experiment is compared with. */
export const latestRun = async (
  name: string | undefined,
  except: string,
  root = 'runs',
): Promise<RunFolder | undefined> => {
  const runs = (await listRuns(root)).filter(run => (name === undefined || run.name === name) && run.id !== except);
  const dated = await Promise.all(runs.map(async run => ({ run, started: (await run.status())?.started ?? '' })));
  return dated.sort((a, b) => b.started.localeCompare(a.started)).at(0)?.run;
};
