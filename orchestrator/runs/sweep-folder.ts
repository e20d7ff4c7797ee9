import { mkdir, readdir } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { z } from 'zod';
import { SweepPlan, SweepTrial, TrialAttempt, TrialCut } from '../contracts/sweep.ts';
import { withLock } from '../processes/lock.ts';
import { appendLine, readJsonIfThere, readLines, writeJson } from './files.ts';

/** Far beyond what it takes to write a line, and to find out that whoever should have written one is dead. */
const CUTS_WAIT_MS = 600_000;

/** `runs/<name>/sweep/`: the frozen plan, the journals of attempts and of cuts, what the trials print. */
export class SweepFolder {
  readonly name: string;
  readonly path: string;

  constructor(name: string, root = 'runs') {
    this.name = name;
    this.path = join(resolve(root), name, 'sweep');
  }

  get relativePath(): string {
    return relative(process.cwd(), this.path);
  }

  get planFile(): string {
    return join(this.path, 'plan.json');
  }

  /** held by the one command that starts trials */
  get lock(): string {
    return join(this.path, 'lock');
  }

  /** of the job arrays */
  get slurm(): string {
    return join(this.path, 'slurm');
  }

  log(trial: string): string {
    return join(this.path, 'logs', `${trial}.log`);
  }

  async begin(): Promise<void> {
    await mkdir(join(this.path, 'logs'), { recursive: true });
  }

  /** Raises `corrupt_file`. */
  plan(): Promise<SweepPlan | undefined> {
    return readJsonIfThere(this.planFile, SweepPlan);
  }

  writePlan(plan: SweepPlan): Promise<void> {
    return writeJson(this.planFile, plan);
  }

  attempts(): Promise<TrialAttempt[]> {
    return readLines(this.attemptsFile, TrialAttempt);
  }

  addAttempt(attempt: TrialAttempt): Promise<void> {
    return appendLine(this.attemptsFile, attempt);
  }

  /** Raises `corrupt_file`. */
  cuts(): Promise<TrialCut[]> {
    return readLines(this.cutsFile, TrialCut);
  }

  /** Trials on several machines may write at the same time, where appending alone could lose a line. Raises `sweep_locked`. */
  addCut(cut: TrialCut): Promise<void> {
    return withLock(`${this.cutsFile}.lock`, { code: 'sweep_locked', wait_ms: CUTS_WAIT_MS }, () =>
      appendLine(this.cutsFile, cut),
    );
  }

  private get cutsFile(): string {
    return join(this.path, 'cuts.jsonl');
  }

  private get attemptsFile(): string {
    return join(this.path, 'attempts.jsonl');
  }
}

export interface FoundSweep {
  folder: SweepFolder;
  plan: SweepPlan;
}

/** Every sweep with a frozen plan under `root`; a plan that cannot be read is left out. */
export const listSweeps = async (root = 'runs'): Promise<FoundSweep[]> => {
  const names = await readdir(resolve(root)).catch(() => []);
  const found = await Promise.all(
    names.map(async name => {
      const folder = new SweepFolder(name, root);
      const plan = await folder.plan().catch(() => undefined);
      return plan === undefined ? [] : [{ folder, plan }];
    }),
  );
  return found.flat();
};

/** As little of a plan as tells whether it holds a trial: plans of many trials are large. */
const Index = z.object({ file: z.string(), trials: z.array(z.looseObject({ id: z.string() })) });

/** The frozen trial of this id in a sweep of `file`, whatever the file says by now. Raises `corrupt_file`. */
export const findTrial = async (file: string, id: string, root = 'runs'): Promise<SweepTrial | undefined> => {
  for (const name of await readdir(resolve(root)).catch(() => [])) {
    const plan = await readJsonIfThere(new SweepFolder(name, root).planFile, Index);
    const trial = plan?.file === resolve(file) ? plan.trials.find(known => known.id === id) : undefined;
    if (trial !== undefined) return SweepTrial.parse(trial);
  }
  return undefined;
};
