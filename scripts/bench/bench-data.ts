/**
 * `npm run bench:data`: assembles pictures of the mini world that lie on disk, and pairs ten million records.
 * The last line is `overhead=… rss_growth_mb=… pair_s=… pair_mb=…`: the time of the command beside that of a bare loop of
 * decode, resize and detector on as many processes (bare_data.py); resident memory of all its processes for ten times as
 * many pictures, less that for the smaller set; time and memory of the pairing. `--images 30000`, `--records 10000000`.
 */
import { link, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { $, argv, type ProcessPromise } from 'zx';
import { ensurePython } from '../../orchestrator/processes/python-setup.ts';

const numImages = Number(argv.images ?? 30_000);
const numRecords = Number(argv.records ?? 10_000_000);
const processes = availableParallelism();
const [drawnSize, imageSize] = [128, 64];
const here = import.meta.dirname;
const samplingMs = 100;

/** Resident MB of a process and of everything below it; what two of them share counts twice. */
const residentMb = async (pid: number): Promise<number> => {
  const own = /^VmRSS:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8').catch(() => ''));
  const tasks = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = tasks.map(task => readFile(`/proc/${pid}/task/${task}/children`, 'utf8').catch(() => ''));
  const children = (await Promise.all(lists)).join(' ').split(/\s+/).filter(Boolean);
  const below = await Promise.all(children.map(child => residentMb(Number(child))));
  return Number(own?.[1] ?? 0) / 1024 + below.reduce((sum, one) => sum + one, 0);
};

interface Measured {
  seconds: number;
  peak_mb: number;
}

const measure = async (command: ProcessPromise): Promise<Measured> => {
  const started = performance.now();
  let [peak_mb, ended] = [0, false];
  const watch = async () => {
    while (!ended) {
      if (command.pid !== undefined) peak_mb = Math.max(peak_mb, await residentMb(command.pid));
      await new Promise(done => setTimeout(done, samplingMs));
    }
  };
  const watching = watch();
  await command.quiet().finally(() => {
    ended = true;
  });
  await watching;
  return { seconds: (performance.now() - started) / 1000, peak_mb };
};

const tell = (what: string, { seconds, peak_mb }: Measured): void =>
  console.log(`${what.padEnd(44)} ${seconds.toFixed(1).padStart(7)} s ${peak_mb.toFixed(0).padStart(6)} MB`);

/** The first `count` of the pictures, in a folder of their own. */
const someOf = async (folder: string, count: number): Promise<string> => {
  const part = `${folder}-${count}`;
  await mkdir(part);
  const names = (await readdir(folder)).sort().slice(0, count);
  for (const name of names) await link(join(folder, name), join(part, name));
  return part;
};

const experimentOf = (folder: string, count: number): string[] => [
  ...['--set', `dataset.sources=[{kind: folder, path: ${folder}, detector: mini}]`],
  // A fifth of the pictures is held out: all of them are assembled.
  ...['--set', `dataset.num_images=${0.8 * count}`, '--set', `dataset.num_held_out=${0.2 * count}`],
  ...['--set', `dataset.image_size=${imageSize}`],
  ...['--set', 'dataset.filters.max_hash_distance=-1', '--set', 'dataset.max_rejected=1'],
  ...['--set', `num_workers=${processes}`, '--set', 'num_threads=1'],
];

const assemble = (root: string, folder: string, count: number): Promise<Measured> => {
  const run = resolve(here, '../../orchestrator/run.ts');
  const $in = $({
    cwd: root,
    env: { ...process.env, POSETWIN_STORE: join(root, `store-${count}`), OMP_NUM_THREADS: '1' },
  });
  return measure($in`tsx ${run} run ${join(here, 'data.yaml')} ${experimentOf(folder, count)} --until assemble`);
};

const main = async (): Promise<void> => {
  const { python } = await ensurePython({ onProgress: line => console.error(line) });
  const root = await mkdtemp(join(tmpdir(), 'posetwin-bench-data-'));
  const pictures = join(root, 'pictures');
  const env = { ...process.env, OMP_NUM_THREADS: '1' };
  try {
    await $({ env })`${python} ${join(here, 'data_pictures.py')} ${pictures} ${numImages} ${drawnSize} ${processes}`;
    const small = await assemble(root, await someOf(pictures, numImages / 10), numImages / 10);
    tell(`posetwin, ${numImages / 10} pictures`, small);
    const bare = await measure(
      $({ env })`${python} ${join(here, 'bare_data.py')} ${pictures} ${imageSize} ${processes}`,
    );
    tell(`bare loop, ${numImages} pictures`, bare);
    const large = await assemble(root, pictures, numImages);
    tell(`posetwin, ${numImages} pictures`, large);
    const paired = await $`tsx ${join(here, 'bench-pairs.ts')} --rows ${numRecords} --pairs ${numRecords}`.quiet();
    const overhead = large.seconds / bare.seconds - 1;
    console.log(
      `overhead=${(100 * overhead).toFixed(1)}% rss_growth_mb=${(large.peak_mb - small.peak_mb).toFixed(0)} ` +
        paired.stdout.trim().split('\n').at(-1),
    );
  } finally {
    await rm(root, { recursive: true, force: true });
  }
};

await main();
