/**
 * `npm run bench:train`: Posetwin's training loop beside a plain one (reference_loop.py) on the same data, t and noise,
 * each side in fresh processes that take turns. The last line is `speedup=… memory=… loss_rel_diff=… overhead=…`.
 * `--repeats 3`: processes a side. `--json`: all figures as one JSON object before the last line. `--quick`: the last line
 * and little else. Fails where results are missing or the losses differ, never because of a time.
 */
import { rm } from 'node:fs/promises';
import { argv } from 'zx';
import {
  Bench,
  type Job,
  type LoopName,
  type Measured,
  mean,
  median,
  onBank,
  type Saving,
  table,
} from './processes.ts';

const LOSS_TOLERANCE = 1e-5;
const repeats = Number(argv.repeats ?? 3);

const say = (text: string): void => console.log(`\n${text}`);
const ms = (value: number): string => `${value.toFixed(0)} ms`;
const mb = (value: number): string => `${value.toFixed(0)} MB`;
const times = (value: number): string => `${value.toFixed(2)}x`;

/** t that are visited, and so the steps of a round. Under `noised` every t costs the same. */
const CYCLES = { noised: 5, trajectory: 10 };

interface Side {
  /** of one step of the second round: CPU time and the clock on the wall, medians over processes of the mean step */
  cpu_ms: number;
  wall_ms: number;
  /** the same of the first round, in which a bank is filled */
  first_round_cpu_ms: number;
  /** highest resident memory above that of the loaded models */
  peak_mb: number;
  /** what a step keeps for its way back, and its operations */
  kept_mb: number;
  gflop: number;
  losses: number[];
  peak_gflops: number;
}

const summed = (runs: readonly Measured[]): Side => ({
  cpu_ms: median(runs.map(run => mean(run.cpu_ms))),
  wall_ms: median(runs.map(run => mean(run.wall_ms))),
  first_round_cpu_ms: median(runs.map(run => mean(run.first_round_cpu_ms))),
  peak_mb: median(runs.map(run => run.peak_mb)),
  kept_mb: Math.max(...runs.flatMap(run => run.kept_mb)),
  gflop: mean(runs.flatMap(run => run.gflop)),
  losses: runs[0]?.losses ?? [],
  peak_gflops: Math.max(...runs.map(run => run.peak_gflops)),
});

const compare = async (bench: Bench, job: Job, names: readonly LoopName[], count: number) => {
  const runs = new Map<LoopName, Measured[]>(names.map(name => [name, []]));
  for (let round = 0; round < count; round++)
    for (const name of names) runs.get(name)?.push(await bench.measure(job, name));
  return new Map([...runs].map(([name, measured]) => [name, summed(measured)]));
};

const of = (sides: Map<LoopName, Side>, name: LoopName): Side => {
  const side = sides.get(name);
  if (side === undefined) throw new Error(`no result of ${name}`);
  return side;
};

/** The largest difference of two loops' losses in any step, relative; NaN where steps are missing. */
const lossDifference = ({ losses: mine }: Side, { losses: theirs }: Side): number =>
  mine.length === theirs.length
    ? Math.max(...mine.map((loss, index) => Math.abs(loss - (theirs[index] ?? Number.NaN)) / Math.abs(loss)))
    : Number.NaN;

const titles: Record<LoopName, string> = {
  together: 'plain: routes as one batch',
  apart: 'careful: route A apart, no gradient',
  engine: 'Posetwin',
};

const sidesTable = (sides: Map<LoopName, Side>): string => {
  const engine = of(sides, 'engine');
  const rows = [...sides].map(([name, side]) => [
    titles[name],
    ms(side.cpu_ms),
    ms(side.wall_ms),
    times(side.cpu_ms / engine.cpu_ms),
    mb(side.peak_mb),
    (engine.peak_mb / side.peak_mb).toFixed(2),
    mb(side.kept_mb),
    (engine.kept_mb / side.kept_mb).toFixed(2),
    `${side.gflop.toFixed(1)} GF`,
    `${((100 * side.gflop * 1000) / side.cpu_ms / side.peak_gflops).toFixed(0)} %`,
    ms(side.first_round_cpu_ms),
  ]);
  const head = [
    'loop',
    'CPU',
    'wall',
    'slower',
    'RSS peak',
    'ours',
    'kept',
    'ours',
    'work',
    'of GEMM peak',
    '1st round',
  ];
  return table([head, ...rows]);
};

const savings: Record<Saving, string> = {
  cache: 'latents, text and primary features computed anew',
  bank: 'route A computed in every step',
  apart: 'both routes as one batch, with a gradient',
  spared_inputs: 'frozen convolutions keep their inputs',
};

const ablate = async (bench: Bench, job: Job, whole: Side): Promise<Record<string, Side>> => {
  const found: Record<string, Side> = {};
  for (const saving of Object.keys(savings) as Saving[])
    found[saving] = summed([await bench.measure(job, 'engine', { without: saving })]);
  const rows = Object.entries(savings).map(([saving, title]) => {
    const side = found[saving] ?? whole;
    return [
      title,
      ms(side.cpu_ms),
      `${(side.gflop - whole.gflop).toFixed(1)} GF`,
      mb(side.kept_mb),
      `${((100 * side.kept_mb) / whole.kept_mb - 100).toFixed(0)} %`,
    ];
  });
  const none = ['nothing left out', ms(whole.cpu_ms), '', mb(whole.kept_mb), ''];
  say(
    `Without one saving (\`noised\`, one process each: less than a tenth may be noise)\n${table([['', 'CPU', 'more work', 'kept', 'more'], none, ...rows])}`,
  );
  return found;
};

const showParts = async (bench: Bench, job: Job, title: string): Promise<Record<string, number>> => {
  const { parts: rounds } = await bench.measure(job, 'engine', { parts: true });
  const names = [...new Set(rounds.flatMap(parts => Object.keys(parts)))];
  const means = Object.fromEntries(names.map(name => [name, mean(rounds.map(parts => parts[name] ?? 0))]));
  const total = Object.values(means).reduce((sum, value) => sum + value, 0);
  const rows = Object.entries(means).sort(([, a], [, b]) => b - a);
  say(
    `Where a step's CPU time goes (${title})\n${table(rows.map(([name, value]) => [name, ms(value), `${((100 * value) / total).toFixed(0)} %`]))}`,
  );
  return means;
};

const measureOverhead = async (bench: Bench, count: number) => {
  const pairs: { orchestrated_s: number; bare_s: number }[] = [];
  for (let round = 0; round < count; round++) {
    // Another rate gives another key, so that it trains anew; everything before it is in the store.
    const { seconds, job } = await bench.orchestrate(`train.learning_rate=${1e-4 * (1 + (round + 1) / 1000)}`);
    pairs.push({ orchestrated_s: seconds, bare_s: await bench.bare(job) });
  }
  const overhead_s = median(pairs.map(({ orchestrated_s, bare_s }) => orchestrated_s - bare_s));
  const bare_s = median(pairs.map(pair => pair.bare_s));
  const allowed_s = 0.03 * bare_s + 2;
  say(
    `Orchestrator, start to end of a training of 20 steps: ${overhead_s.toFixed(1)} s above the bare command's ${bare_s.toFixed(1)} s (goal: 3 % + 2 s = ${allowed_s.toFixed(1)} s)`,
  );
  return { overhead_s, bare_s, allowed_s, pairs };
};

const main = async (): Promise<number> => {
  const bench = await Bench.open();
  const { job: made } = await bench.orchestrate();
  const noised = onBank(made, 'noised', CYCLES.noised);
  const sides = await compare(bench, noised, ['together', 'apart', 'engine'], repeats);
  say(
    `\`latents.source: noised\`, batch 8, 64 px, bank of ${CYCLES.noised} steps, ${repeats} processes a side\n${sidesTable(sides)}`,
  );
  const [engine, plain] = [of(sides, 'engine'), of(sides, 'together')];
  const difference = Math.max(lossDifference(engine, plain), lossDifference(engine, of(sides, 'apart')));
  const figures: Record<string, unknown> = { noised: Object.fromEntries(sides), loss_rel_diff: difference };
  let unequal = !(difference <= LOSS_TOLERANCE);
  if (!argv.quick) {
    figures.without = await ablate(bench, noised, engine);
    figures.parts = { noised: await showParts(bench, noised, '`noised`') };
    const trajectory = onBank(made, 'trajectory', CYCLES.trajectory);
    const walked = await compare(bench, trajectory, ['together', 'apart', 'engine'], 1);
    say(
      `\`latents.source: trajectory\`, the same, bank of ${CYCLES.trajectory} steps, one process a side\n${sidesTable(walked)}`,
    );
    figures.trajectory = Object.fromEntries(walked);
    for (const name of ['together', 'apart'] as const)
      unequal ||= !(lossDifference(of(walked, 'engine'), of(walked, name)) <= LOSS_TOLERANCE);
  }
  const overhead = await measureOverhead(bench, argv.quick ? 1 : repeats);
  if (argv.json) console.log(JSON.stringify({ ...figures, overhead }));
  await rm(bench.folder, { recursive: true, force: true });
  if (unequal) console.error(`the losses differ by more than ${LOSS_TOLERANCE} (relative)`);
  const [speedup, memory] = [plain.cpu_ms / engine.cpu_ms, engine.peak_mb / plain.peak_mb];
  say(
    `speedup=${speedup.toFixed(2)} memory=${memory.toFixed(2)} loss_rel_diff=${difference.toExponential(1)} overhead=${overhead.overhead_s.toFixed(1)}s`,
  );
  return unequal ? 1 : 0;
};

process.exitCode = await main();
