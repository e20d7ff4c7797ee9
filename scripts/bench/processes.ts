/** Fresh processes for the benches: one measured loop, one run of the orchestrator, one bare worker. */
import { copyFile, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { $, within } from 'zx';
import { TrainJob } from '../../orchestrator/contracts/job.ts';
import { ensurePython, type PythonSetup } from '../../orchestrator/processes/python-setup.ts';
import { workerCommand, workerEnvironment } from '../../orchestrator/processes/worker-command.ts';

export type Job = z.output<typeof TrainJob>;
export type LoopName = 'engine' | 'together' | 'apart';
export type Saving = 'cache' | 'bank' | 'apart' | 'spared_inputs';

/** What measure.py prints; see there. */
const Measured = z.object({
  losses: z.array(z.number()).min(1),
  first_round_cpu_ms: z.array(z.number()).min(1),
  cpu_ms: z.array(z.number()).min(1),
  wall_ms: z.array(z.number()).min(1),
  parts: z.array(z.record(z.string(), z.number())),
  loaded_mb: z.number(),
  peak_mb: z.number(),
  kept_mb: z.array(z.number()).min(1),
  gflop: z.array(z.number()).min(1),
  peak_gflops: z.number(),
});
export type Measured = z.output<typeof Measured>;

const here = import.meta.dirname;

/** A folder for the store, the runs and the jobs of a bench, with the Python that they use. */
export class Bench {
  readonly #threads = { OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1', HF_HUB_OFFLINE: '1' };
  readonly #setup: PythonSetup;
  readonly folder: string;
  #count = 0;

  private constructor(folder: string, setup: PythonSetup) {
    this.folder = folder;
    this.#setup = setup;
  }

  static async open(): Promise<Bench> {
    const setup = await ensurePython({ onProgress: line => console.error(line) });
    const folder = await mkdtemp(join(tmpdir(), 'posetwin-bench-'));
    await copyFile(join(here, 'bench.yaml'), join(folder, 'bench.yaml'));
    return new Bench(folder, setup);
  }

  async #jobFile(job: Job): Promise<string> {
    this.#count += 1;
    const folder = join(this.folder, 'jobs', String(this.#count));
    await mkdir(folder, { recursive: true });
    const inputs = { ...job.inputs, decisions: join(folder, 'decisions.jsonl') };
    await writeFile(join(folder, 'job.json'), JSON.stringify({ ...job, output_dir: folder, inputs }));
    return join(folder, 'job.json');
  }

  /** A loop in a process of its own. `parts`: with the time of the engine's parts. */
  async measure(job: Job, loop: LoopName, { without, parts }: { without?: Saving; parts?: boolean } = {}) {
    const flags = [...(parts ? ['--parts'] : []), ...(without ? ['--without', without] : [])];
    const args = [await this.#jobFile(job), loop, ...flags];
    const env = { ...process.env, ...this.#threads, PYTHONPATH: this.#setup.pythonPath };
    const { stdout } = await $({ env })`${this.#setup.python} ${join(here, 'measure.py')} ${args}`.quiet();
    return Measured.parse(JSON.parse(stdout));
  }

  /** A run from the command line up to the end of its training: how long that took, and the training's job. */
  async orchestrate(...set: string[]): Promise<{ seconds: number; job: Job }> {
    const args = [join(here, '..', '..', 'orchestrator', 'run.ts'), 'bench.yaml', '--json'];
    for (const one of set) args.push('--set', one);
    const started = performance.now();
    return within(async () => {
      const env = { ...process.env, ...this.#threads, POSETWIN_PYTHON: this.#setup.python };
      const run = $({
        cwd: this.folder,
        env,
        nothrow: true,
      })`node --import ${import.meta.resolve('tsx')} ${args}`.quiet();
      let trained: { seconds: number; key: string } | undefined;
      let last = '';
      for await (const line of createInterface({ input: run.stdout })) {
        last = line;
        const event = JSON.parse(line);
        if (event.type !== 'stage' || event.stage !== 'train' || event.state !== 'finished') continue;
        trained = { seconds: (performance.now() - started) / 1000, key: event.key };
        // What comes after the training is not measured.
        await run.kill('SIGINT');
      }
      const { stderr } = await run;
      if (trained === undefined) throw new Error(`the orchestrator trained nothing: ${last}\n${stderr}`);
      const file = join(this.folder, '.posetwin', 'store', 'train', trained.key, 'job.json');
      return { seconds: trained.seconds, job: TrainJob.parse(JSON.parse(await readFile(file, 'utf8'))) };
    });
  }

  /** The very command that the orchestrator starts for this job, without the orchestrator. */
  async bare(job: Job): Promise<number> {
    const args = [await this.#jobFile(job)];
    const options = { ...this.#setup, args, nproc: 1, log_dir: this.folder, env: this.#threads };
    const { file, args: rest } = workerCommand(options);
    const started = performance.now();
    await $({ env: workerEnvironment(options, 'bench') })`${file} ${rest}`.quiet();
    return (performance.now() - started) / 1000;
  }
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
};

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** A job for measure.py: three rounds of a bank of one cycle. `cycle`: of the first so many t alone. */
export const onBank = (job: Job, source: Job['spec']['method']['latents']['source'], cycle: number): Job => {
  const method = { ...job.spec.method, latents: { source, state: 'own' as const } };
  const trainable = job.spec.schedule.trainable.map((_, index) => index < cycle);
  const train = { ...job.spec.train, bank_steps: cycle, max_train_steps: 3 * cycle };
  return { ...job, spec: { ...job.spec, method, train, schedule: { ...job.spec.schedule, trainable } } };
};

/** Columns as wide as their widest cell, names to the left. */
export const table = (rows: readonly (readonly string[])[]): string => {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0))) ?? [];
  const cell = (text: string, column: number) =>
    column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0);
  return rows.map(row => row.map(cell).join('  ').trimEnd()).join('\n');
};
