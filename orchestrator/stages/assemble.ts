import { join } from 'node:path';
import { Rejected, Sample } from '../contracts/dataset.ts';
import { chooseItems, choosePairs, type Facts, makeManifest } from '../dataset/index.ts';
import { Fingerprints, readLines, writeJson, writeLines } from '../runs/index.ts';
import type { RunContext } from './context.ts';
import { countRows } from './pose-tables.ts';
import { poseLibrary } from './poses.ts';
import type { Stage } from './stage.ts';
import { runWorkerStage } from './worker-stage.ts';

const factsOf = async ({ experiment, store, services }: RunContext): Promise<Facts> => {
  const prints = new Fingerprints(store.memory('fingerprints.json'));
  const library = await poseLibrary(experiment, store, prints, services);
  return { poses: library?.poses ?? [], countRows: table => countRows(table, store, prints, services) };
};

/** Steps 1 and 2: TypeScript chooses the pictures, Python makes them, TypeScript pairs them and checks the closure. */
export const assemble: Stage = {
  name: 'assemble',
  async run(context, folder) {
    const { seed, dataset } = context.plan.stages.assemble.spec;
    const items = join(folder, 'items.jsonl');
    await writeLines(items, await chooseItems(dataset, seed, await factsOf(context)));
    await runWorkerStage(context, 'assemble', folder, { inputs: { items } });

    const samples = await readLines(join(folder, 'samples.jsonl'), Sample);
    const rejected = await readLines(join(folder, 'rejected.jsonl'), Rejected);
    if (rejected.length > 0) {
      const message = `${rejected.length} of ${samples.length + rejected.length} pictures are left out: see rejected.jsonl`;
      context.emit({ type: 'note', message: `${message} in ${folder.replace(/\.partial$/, '')}` });
    }
    const pairs = choosePairs(samples, dataset, seed);
    await writeLines(join(folder, 'pairs.jsonl'), pairs);
    await writeJson(join(folder, 'manifest.json'), makeManifest(seed, dataset, samples, rejected, pairs));
  },
};
