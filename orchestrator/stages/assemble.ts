import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AssembleResult, type Manifest } from '../contracts/assembled.ts';
import type { Dataset } from '../contracts/dataset.ts';
import {
  chooseItems,
  type Facts,
  makeManifest,
  openTable,
  type Pairing,
  readSamples,
  writePairs,
} from '../dataset/index.ts';
import { Fingerprints, readJson, writeJson, writeLines } from '../runs/index.ts';
import type { RunContext } from './context.ts';
import { licenceOf } from './licences.ts';
import { countRows } from './pose-tables.ts';
import { poseLibrary } from './poses.ts';
import type { Stage } from './stage.ts';
import { runWorkerStage } from './worker-stage.ts';

const indexFolder = ({ plan, store }: RunContext): string =>
  plan.stages.index === null ? '' : store.folder(plan.stages.index);

const factsOf = async (context: RunContext): Promise<Facts> => {
  const { experiment, store, services } = context;
  const prints = new Fingerprints(store.memory('fingerprints.json'));
  const library = await poseLibrary(experiment, store, prints, services);
  return {
    poses: library?.poses ?? [],
    countRows: table => countRows(table, store, prints, services),
    index: source => openTable(join(indexFolder(context), `${source}.parquet`)),
  };
};

/** Where the pictures come from, with what their source held when it was read. */
const sourcesOf = ({ sources }: Dataset, inputs: Record<string, string>): Manifest['sources'] =>
  sources.map((source, index) => ({
    kind: source.kind,
    path: 'path' in source ? source.path : null,
    hash: inputs[`source_${index}`] ?? '',
    licence: licenceOf(source),
  }));

const noteRejected = ({ emit }: RunContext, folder: string, { num_rejected, warnings }: AssembleResult): void => {
  const codes = Object.entries(num_rejected).map(([code, count]) => `${count} ${code}`);
  const where = join(folder.replace(/\.partial$/, ''), 'rejected.jsonl');
  if (codes.length > 0) emit({ type: 'note', message: `pictures are left out (${codes.join(', ')}): see ${where}` });
  for (const message of warnings) emit({ type: 'note', message });
};

const noteFewCouples = ({ emit }: RunContext, { num_couples: { train } }: Pairing, { num_pairs, pairs }: Dataset) => {
  if (pairs === 'all-combinations' || train >= num_pairs) return;
  emit({
    type: 'note',
    message: `the training pictures give ${train} couples, not the ${num_pairs} of dataset.num_pairs`,
  });
};

/** What is chosen is the same whoever chooses: another process may have done so before. */
const chosenItems = async (context: RunContext, folder: string): Promise<string> => {
  const { seed, dataset } = context.plan.stages.assemble.spec;
  const items = join(folder, 'items.jsonl');
  if (!existsSync(items)) await writeLines(items, await chooseItems(dataset, seed, await factsOf(context)));
  return items;
};

/**
 * One part of the chunks of the set, beside other processes, here or on other machines that share the store, which make
 * the other parts. The stage itself then finds them done. False where the set is there already.
 */
export const assemblePart = async (context: RunContext, part: string): Promise<boolean> => {
  const { plan, store, interrupts } = context;
  const planned = plan.stages.assemble;
  const waiting = { wait_ms: Number.POSITIVE_INFINITY, signal: interrupts.stop };
  const items = await store.work(planned, folder => chosenItems(context, folder), waiting);
  if (items === undefined) return false;
  const inputs = { items, index: indexFolder(context), part };
  await runWorkerStage(context, 'assemble', store.partial(planned), { inputs, part: part.replace('/', '-of-') });
  return true;
};

/** Steps 1 and 2: TypeScript chooses the pictures, Python makes them, TypeScript pairs them and checks the closure. */
export const assemble: Stage = {
  name: 'assemble',
  async run(context, folder) {
    const { spec, inputs } = context.plan.stages.assemble;
    const { seed, dataset } = spec;
    const items = await chosenItems(context, folder);
    await runWorkerStage(context, 'assemble', folder, { inputs: { items, index: indexFolder(context), part: '' } });

    const made = await readJson(join(folder, 'result.json'), AssembleResult);
    noteRejected(context, folder, made);
    const samples = await readSamples(join(folder, 'samples.parquet'), dataset);
    const pairing = await writePairs(samples, dataset, seed, join(folder, 'pairs.parquet'));
    noteFewCouples(context, pairing, dataset);
    const provenance = { ...made, sources: sourcesOf(dataset, inputs) };
    await writeJson(join(folder, 'manifest.json'), await makeManifest(seed, dataset, samples, pairing, provenance));
  },
};
