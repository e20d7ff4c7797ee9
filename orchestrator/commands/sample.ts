import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { z } from 'zod';
import { type JobOf, SampleJob } from '../contracts/job.ts';
import { FigureResult } from '../contracts/results.ts';
import { PosetwinError, toPosetwinError } from '../errors.ts';
import { runLocally } from '../executors/local.ts';
import { contentHash } from '../plan/canonical.ts';
import { readJson, writeJson } from '../runs/index.ts';
import { drawFigure } from '../stages/figures.ts';
import { Services } from '../stages/services.ts';
import { describeError, exitCodeOf, exitCodes } from './exit-codes.ts';
import { type FoundAdapter, findAdapter } from './find-adapter.ts';
import { catchInterrupts } from './interrupts.ts';
import { standardError, Terminal } from './terminal.ts';

export interface SampleOptions {
  prompt: string;
  /** a photo, OpenPose keypoints (.json), a control map (.png), or the name of a pose */
  pose: string;
  adapter: string | undefined;
  out: string;
  seed: number;
  numImages: number;
  json: boolean;
}

const SampleResult = z.object({ images: z.array(FigureResult) });

/** `<out>/0001`, `0002`, …: the first number that nothing has yet. */
const newFolder = async (out: string): Promise<string> => {
  const names = await readdir(out).catch(() => []);
  const highest = Math.max(0, ...names.filter(name => /^\d{4,}$/.test(name)).map(Number));
  const folder = join(out, String(highest + 1).padStart(4, '0'));
  await mkdir(out, { recursive: true });
  await mkdir(folder);
  return folder;
};

/** A pose that looks like a file is one; anything else is a name, which Python knows. */
const poseOf = (pose: string): string => {
  const file = resolve(pose);
  if (existsSync(file)) return file;
  if (!/[\\/]|\.(json|png|jpe?g|webp|bmp)$/i.test(pose)) return pose;
  throw new PosetwinError('missing_file', `there is no file ${file}`, {
    hint: '--pose takes a file or a name of a pose',
  });
};

const jobOf = (
  found: FoundAdapter,
  folder: string,
  { prompt, pose, seed, numImages }: SampleOptions,
): JobOf<'sample'> => {
  const { backbone, adapter, detector, judge, dataset, evaluate, device, num_threads, num_workers, rank_timeout_s } =
    found.experiment;
  const models = { backbone, adapter, detector, judge };
  const spec = { ...models, dataset, evaluate, prompt, pose: poseOf(pose), seed, num_images: numImages };
  const inputs = { primary: found.primary, train: found.train };
  return SampleJob.parse({
    stage: 'sample',
    key: contentHash(spec),
    output_dir: folder,
    device,
    num_threads,
    num_workers,
    rank_timeout_s,
    wandb: null,
    inputs,
    spec,
  });
};

const paint = async (folder: string, options: SampleOptions, terminal: Terminal): Promise<FigureResult[]> => {
  const found = await findAdapter(options.adapter, join(folder, 'train'));
  const [job, job_file] = [jobOf(found, folder, options), join(folder, 'job.json')];
  await writeJson(job_file, job);
  const { release, ...interrupts } = catchInterrupts(line => terminal.line(line));
  const services = new Services({ onSetup: line => terminal.show({ type: 'setup', line }), signal: interrupts.stop });
  try {
    terminal.line(`sampling with ${found.name}`);
    const alone = { nnodes: 1, nproc_per_node: 1 };
    const launch = { job, job_file, setup: await services.python(), ...alone, log_dir: join(folder, 'logs') };
    const exit = await runLocally(launch, interrupts, event =>
      terminal.show({ type: 'worker', stage: 'sample', event }),
    );
    if (exit.outcome !== 'finished') throw new PosetwinError('cancelled', 'sampling was stopped');
    return (await readJson(join(folder, 'result.json'), SampleResult)).images;
  } finally {
    release();
  }
};

/**
 * `posetwin sample --prompt … --pose …`: text only, primary and secondary adapter side by side for one prompt and
 * pose, in a new numbered folder. Answers 0, 2 for a wrong option, 3 when it failed, 130.
 */
export const sample = async (options: SampleOptions): Promise<number> => {
  const terminal = new Terminal(standardError());
  try {
    const folder = await newFolder(resolve(options.out));
    const images = await paint(folder, options, terminal);
    for (const [index, image] of images.entries()) await drawFigure(image, folder, `figure-${index + 1}`);
    if (options.json) console.log(JSON.stringify({ folder, images }, null, 2));
    else
      console.log(
        `${images.length} ${images.length === 1 ? 'picture' : 'pictures'} in ${relative(process.cwd(), folder)}`,
      );
    return exitCodes.done;
  } catch (cause) {
    const error = toPosetwinError(cause);
    terminal.line(describeError(error));
    return exitCodeOf(error);
  }
};
