/**
 * `npm run mini:train [-- stage… --minutes M --out DIR]`: trains the mini models from nothing, in slices: the same
 * command again goes on. Python trains all but the primary adapters, which are the product's own runs (Eq. 12).
 */
import { cp } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { $, argv } from 'zx';
import { ensurePython } from '../orchestrator/processes/python-setup.ts';

const help = `Usage: npm run mini:train [-- stage… --minutes M --out DIR --threads N]

Stages, in order: tokenizer vae decoder detector judge text_to_image primary pack. All of them when none is named.
  --minutes M   end after about so long; the same command again goes on (default 45; a primary is not cut short:
                Ctrl-C ends it, and it goes on likewise)
  --out DIR     checkpoints and caches (default .posetwin/mini)
  --threads N   CPU threads (default 2)
`;

const stages = ['tokenizer', 'vae', 'decoder', 'detector', 'judge', 'text_to_image', 'primary', 'pack'];

const { minutes = 45, threads = 2, _: asked } = argv;
const out = resolve(argv.out ?? join('.posetwin', 'mini'));

const { python, pythonPath } = await ensurePython({ onProgress: line => console.error(line) });
const run = $({ stdio: 'inherit', env: { ...process.env, PYTHONPATH: pythonPath } });

/** Throws where the stages are not finished within `--minutes`: what follows needs them. */
const trainInPython = (...names: string[]) =>
  run`${python} -m posetwin.mini.train ${names} --minutes ${minutes} --out ${out} --threads ${threads}`;

/** On the models trained so far, packed as the product loads them; its own store resumes what was interrupted. */
const trainPrimary = async (name: string, style: string, ...more: string[]): Promise<void> => {
  const models = ['backbone', 'adapter'].map(
    part => `${part}.path=${join(out, 'pack', part === 'adapter' ? name : part)}`,
  );
  const settings = [
    ...models,
    `dataset.control.style=${style}`,
    `name=mini-${name}`,
    `num_threads=${threads}`,
    ...more,
  ];
  const set = settings.flatMap(setting => ['--set', setting]);
  const experiment = join('experiments', 'mini', 'primary.yaml');
  await run`npx tsx orchestrator/run.ts run ${experiment} --until primary ${set}`;
  const planned = await $`npx tsx orchestrator/run.ts plan ${experiment} --json ${set}`;
  const { key } = JSON.parse(planned.stdout).stages.find(({ stage }: { stage: string }) => stage === 'primary');
  await cp(join('.posetwin', 'store', 'primary', key, 'adapter'), join(out, name), { recursive: true });
};

const train = async (names: readonly string[]): Promise<void> => {
  for (const name of names) {
    if (name !== 'primary') {
      await trainInPython(name);
      continue;
    }
    await trainInPython('pack');
    await trainPrimary('adapter', 'openpose');
    // The packed adapter for dots now starts as the trained one for limbs: it needs fewer steps.
    await trainInPython('pack');
    await trainPrimary('adapter-dots', 'dots', 'primary.start=adapter', 'primary.train.max_train_steps=4500');
  }
};

if (argv.help) console.log(help);
else await train(asked.length > 0 ? asked : stages);
