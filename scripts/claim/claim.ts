/**
 * `npm run claim [-- --seeds 0,1,2 --only NAME,… --pairs N --steps N]`: does a secondary adapter follow a new pose better
 * than the primary alone, and does the scene stay? Trains the quickstart under every objective, weight and reading of the
 * states, judges it on poses never trained on, and prints a table; also docs/images/claim.svg and claim.json (`--out`).
 * The runs are Posetwin's own and stay in its store: what is there is not computed again.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { $, argv } from 'zx';
import { EvaluateResult } from '../../orchestrator/contracts/results.ts';
import { type EvaluationSummary, summarizeEvaluation } from '../../orchestrator/report/summary.ts';
import { readJson } from '../../orchestrator/runs/index.ts';
import { draw } from './chart.ts';
import { type Setting, settings } from './settings.ts';
import { printRow, printTable, type Row } from './table.ts';

const { steps = 300, pairs = 48, threads = 1 } = argv;
const seeds = String(argv.seeds ?? '0,1,2').split(',');
const only = argv.only === undefined ? undefined : new Set(String(argv.only).split(','));
const out = argv.out ?? join(import.meta.dirname, '..', '..', 'docs', 'images');

const experiment = 'experiments/quickstart.yaml';
const shared = [`train.max_train_steps=${steps}`, `evaluate.num_pairs=${pairs}`, `num_threads=${threads}`];

const run = async (setting: Setting, seed: string): Promise<EvaluateResult> => {
  const set = [...shared, ...setting.set, `seed=${seed}`, `name=claim-${setting.name}`].flatMap(s => ['--set', s]);
  const command = ['tsx', 'orchestrator/run.ts'];
  await $`npx ${command} run ${experiment} --until evaluate ${set}`.quiet();
  const { stages } = JSON.parse((await $`npx ${command} plan ${experiment} --json ${set}`.quiet()).stdout);
  const { key } = stages.find(({ stage }: { stage: string }) => stage === 'evaluate');
  return readJson(join('.posetwin', 'store', 'evaluate', key, 'result.json'), EvaluateResult);
};

/** All seeds' pairs together: a resampled pair is one prompt, pose and noise of one seed. */
const summarize = (results: readonly EvaluateResult[]): EvaluationSummary => {
  const [first] = results;
  if (first === undefined) throw new RangeError('no seed was given');
  return summarizeEvaluation({ ...first, pairs: results.flatMap(result => result.pairs) });
};

const rows: Row[] = [];
for (const setting of settings.filter(({ name }) => only === undefined || only.has(name))) {
  const results: EvaluateResult[] = [];
  for (const seed of seeds) results.push(await run(setting, seed));
  rows.push({ setting, summary: summarize(results), per_seed: results.map(result => summarize([result])) });
  printRow(rows.at(-1) as Row);
}
printTable(rows);
await writeFile(join(out, 'claim.svg'), draw(rows));
await writeFile(join(out, 'claim.json'), `${JSON.stringify({ steps, pairs, seeds, rows }, null, 2)}\n`);
