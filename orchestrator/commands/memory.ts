import type { FlopCount, MemoryEstimate } from '../contracts/facade.ts';
import { ranksOf } from '../contracts/method.ts';
import { Store } from '../runs/index.ts';
import { askFlops, askMemory, type PlannedTraining, peakOf, plannedTrainings } from '../stages/memory.ts';
import type { PythonBridge } from '../stages/services.ts';
import { exitCodes } from './exit-codes.ts';
import { loadChecked, makePlan } from './prepare.ts';
import { formatBytes, formatTable } from './table.ts';
import { withServices } from './with-services.ts';

export interface MemoryOptions {
  set: readonly string[];
  batchSizes: readonly number[];
  /** also count the operations of a step */
  flops: boolean;
  /** one JSON object instead of tables */
  json: boolean;
}

interface Row {
  batch_size: number;
  estimate: MemoryEstimate | null;
  /** why there is no estimate; else empty */
  reason: string;
}

const size = (mb: number): string => formatBytes(mb * 2 ** 20);
const total = (sizes: Record<string, number>): number => Object.values(sizes).reduce((sum, size) => sum + size, 0);

const head = ['samples', 'peak', 'step', 'self-test', 'sides', 'frozen', 'trained', 'gradients', 'optimiser'];
const columns = [...head, 'activations', 'no grad'];

const cells = ({ batch_size, estimate, reason }: Row): string[] => {
  if (estimate === null) return [String(batch_size), reason];
  const { peaks_mb, frozen_mb, trained_mb, gradients_mb, optimizer_mb, activations_mb, no_grad_mb } = estimate;
  const { step, self_test, gradient_sides } = peaks_mb;
  const peaks = [peakOf(estimate), step, self_test, gradient_sides].map(mb => (mb === undefined ? '-' : size(mb)));
  const standing = [total(frozen_mb), total(trained_mb), gradients_mb, optimizer_mb, activations_mb, no_grad_mb];
  return [String(batch_size), ...peaks, ...standing.map(size)];
};

const teraflops = (count: number): string => (count / 1e12).toFixed(count < 1e11 ? 4 : 2);

const flopTable = ({ parts, first_t, further_t, step }: FlopCount): string => {
  const rows = Object.entries(parts).map(([name, { forward, backward }]) => [name, forward, backward] as const);
  const part = rows.map(([name, ...passes]) => [name, ...passes.map(teraflops)]);
  const steps = `a step: ${teraflops(step)}, that is ${teraflops(first_t)} at one t and ${teraflops(further_t)} for every t on its way there`;
  return `TFLOP a sample\n\n${formatTable([['part', 'forward', 'backward'], ...part])}\n\n${steps}`;
};

const describeSettings = ({ stage, models, settings }: PlannedTraining): string => {
  const { mixed_precision, gradient_checkpointing, attention } = settings;
  const how = `${mixed_precision === 'no' ? 'fp32' : mixed_precision}, ${gradient_checkpointing ? '' : 'no '}gradient checkpointing`;
  return `${stage}: ${models.backbone} at ${models.image_size} px, ${how}, attention ${attention}, ranks ${ranksOf(settings)}`;
};

interface Found {
  training: PlannedTraining;
  rows: Row[];
  flops: { flops: FlopCount | null; reason: string } | null;
}

const rowsOf = async (
  bridge: PythonBridge,
  training: PlannedTraining,
  batchSizes: readonly number[],
): Promise<Row[]> => {
  const rows: Row[] = [];
  for (const batch_size of batchSizes) {
    const { estimate, reason } = await askMemory(bridge, training, training.settings, batch_size);
    rows.push({ batch_size, estimate, reason });
  }
  return rows;
};

/**
 * `posetwin memory x.yaml`: what one rank of each training needs, in GB, for several batch sizes; with `--flops` also what
 * a step computes. Nothing is loaded but the config.json of the models. Answers 0 or 2. Raises `missing_weights`, `wrong_weights`, `out_of_range`.
 */
export const showMemory = async (file: string, options: MemoryOptions): Promise<number> => {
  const { batchSizes, json } = options;
  const loaded = loadChecked(file, options);
  if ('exitCode' in loaded) return loaded.exitCode;
  const { experiment } = loaded;
  const plan = await makePlan(loaded, 0, new Store());
  const tables = await withServices(async services => {
    const bridge = await services.bridge();
    const found: Found[] = [];
    for (const training of plannedTrainings({ experiment, plan })) {
      const rows = await rowsOf(bridge, training, batchSizes);
      found.push({ training, rows, flops: options.flops ? await askFlops(bridge, training) : null });
    }
    return found;
  });
  if (json) console.log(JSON.stringify(tables.map(({ training: { stage }, ...rest }) => ({ stage, ...rest }))));
  else for (const table of tables) print(table);
  return exitCodes.done;
};

const print = ({ training, rows, flops }: Found): void => {
  console.log(`${describeSettings(training)}\n`);
  console.log(`${formatTable([columns, ...rows.map(cells)])}\n`);
  if (flops !== null) console.log(`${flops.flops === null ? flops.reason : flopTable(flops.flops)}\n`);
};
