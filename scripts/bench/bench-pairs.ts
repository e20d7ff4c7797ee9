/**
 * Pairs a set of ten million samples as the stage `assemble` does: `tsx scripts/bench/bench-pairs.ts`. The last line is
 * `pair_s=… pair_mb=…`: seconds from opening samples.parquet until pairs.parquet lies there, and the highest resident
 * memory of the process that pairs. `--rows 10000000`, `--pairs 10000000`, `--reading random`. Fails where couples are
 * missing, never because of a time.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { $, argv } from 'zx';
import { Dataset } from '../../orchestrator/contracts/dataset.ts';
import { readSamples, writePairs } from '../../orchestrator/dataset/index.ts';
import { ensurePython } from '../../orchestrator/processes/python-setup.ts';

const rows = Number(argv.rows ?? 10_000_000);
const wanted = Number(argv.pairs ?? 10_000_000);
const reading = String(argv.reading ?? 'random');

const Paired = z.object({ num_couples: z.number(), seconds: z.number(), cpu_seconds: z.number(), peak_mb: z.number() });

/** In a process of its own, so that its memory is the pairing's alone. */
const pair = async (folder: string): Promise<z.output<typeof Paired>> => {
  const dataset = Dataset.parse({ num_images: rows, num_pairs: wanted, pairs: reading });
  const started = performance.now();
  const samples = await readSamples(join(folder, 'samples.parquet'), dataset);
  const { num_couples } = await writePairs(samples, dataset, 0, join(folder, 'pairs.parquet'));
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  return {
    num_couples: num_couples.train,
    seconds: (performance.now() - started) / 1000,
    cpu_seconds: (userCPUTime + systemCPUTime) / 1e6,
    peak_mb: maxRSS / 1024,
  };
};

const bench = async (): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'posetwin-bench-pairs-'));
  try {
    const { python } = await ensurePython({ onProgress: line => console.error(line) });
    await $`${python} ${join(import.meta.dirname, 'bench_samples.py')} ${folder}/samples.parquet ${rows}`.quiet();
    const args = [import.meta.filename, '--in', folder, '--rows', rows, '--pairs', wanted, '--reading', reading];
    const { stdout } = await $`node --import ${import.meta.resolve('tsx')} ${args}`.quiet();
    const paired = Paired.parse(JSON.parse(stdout));
    if (paired.num_couples !== wanted) throw new Error(`${paired.num_couples} couples are listed, not ${wanted}`);
    console.log(`${rows} samples, ${wanted} couples; ${paired.cpu_seconds.toFixed(1)} s of processor time`);
    console.log(`pair_s=${paired.seconds.toFixed(1)} pair_mb=${paired.peak_mb.toFixed(0)}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

if (argv.in === undefined) await bench();
else console.log(JSON.stringify(await pair(String(argv.in))));
