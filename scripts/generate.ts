/**
 * Writes what is generated from the zod contracts: the JSON Schema for editors and the pydantic models.
 * `--check` writes nothing, shows what would change and exits 1 when the files are not fresh.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { $, argv } from 'zx';
import { ensurePython } from '../orchestrator/processes/python-setup.ts';
import { generateEditorSchema } from './generate/editor-schema.ts';
import { generatePythonModels } from './generate/python-models.ts';

const { check } = argv;
const root = join(import.meta.dirname, '..');

const generate = async (): Promise<Record<string, string>> => {
  const { python } = await ensurePython({ onProgress: line => console.error(line) });
  return {
    'configs/schema/experiment.schema.json': await generateEditorSchema(),
    'python/posetwin/contracts/_generated.py': await generatePythonModels(python),
  };
};

const showDifference = async (file: string, text: string): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'posetwin-generate-'));
  const fresh = join(folder, 'fresh');
  await writeFile(fresh, text);
  await $({ stdio: 'inherit', nothrow: true, cwd: root })`diff -u ${file} ${fresh}`;
  await rm(folder, { recursive: true, force: true });
};

const main = async (): Promise<number> => {
  let stale = 0;
  for (const [file, text] of Object.entries(await generate())) {
    const path = join(root, file);
    if ((await readFile(path, 'utf8').catch(() => '')) === text) continue;
    stale += 1;
    if (check) await showDifference(file, text);
    else await writeFile(path, text);
    console.log(`${check ? 'stale' : 'written'}  ${file}`);
  }
  if (stale > 0 && check) console.log('run `npm run generate`');
  return stale > 0 && check ? 1 : 0;
};

process.exitCode = await main();
