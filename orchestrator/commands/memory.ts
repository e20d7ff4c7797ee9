import type { MemoryEstimate } from '../contracts/facade.ts';
import { Store } from '../runs/index.ts';
import { askMemory, type PlannedTraining, peakOf, plannedTrainings } from '../stages/memory.ts';
import { exitCodes } from './exit-codes.ts';
import { loadChecked, makePlan } from './prepare.ts';
import { formatBytes, formatTable } from './table.ts';
import { withServices } from './with-services.ts';

export interface MemoryOptions {
  set: readonly string[];
  batchSizes: readonly number[];
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

const describeSettings = ({ stage, models, settings }: PlannedTraining): string => {
  const { nproc_per_node, mixed_precision, gradient_checkpointing, attention } = settings;
  const how = `${mixed_precision === 'no' ? 'fp32' : mixed_precision}, ${gradient_checkpointing ? '' : 'no '}gradient checkpointing`;
  return `${stage}: ${models.backbone} at ${models.image_size} px, ${how}, attention ${attention}, ranks ${nproc_per_node}`;
};

/**
 * `posetwin memory x.yaml`: what one rank of each training needs, in GB, for several batch sizes. Nothing is loaded but
 * the config.json of the models. Answers 0 or 2. Raises `missing_weights`, `wrong_weights`, `out_of_range`.
 */
export const showMemory = async (file: string, { set, batchSizes, json }: MemoryOptions): Promise<number> => {
  const loaded = loadChecked(file, { set, json });
  if ('exitCode' in loaded) return loaded.exitCode;
  const { experiment } = loaded;
  const plan = await makePlan(loaded, 0, new Store());
  const tables = await withServices(async services => {
    const bridge = await services.bridge();
    const found: { training: PlannedTraining; rows: Row[] }[] = [];
    for (const training of plannedTrainings({ experiment, plan })) {
      const rows: Row[] = [];
      for (const batch_size of batchSizes) {
        const { estimate, reason } = await askMemory(bridge, training, training.settings, batch_size);
        rows.push({ batch_size, estimate, reason });
      }
      found.push({ training, rows });
    }
    return found;
  });
  if (json) console.log(JSON.stringify(tables.map(({ training: { stage }, rows }) => ({ stage, rows }))));
  else for (const { training, rows } of tables) print(training, rows);
  return exitCodes.done;
};

const print = (training: PlannedTraining, rows: readonly Row[]): void => {
  console.log(`${describeSettings(training)}\n`);
  console.log(`${formatTable([columns, ...rows.map(cells)])}\n`);
};
