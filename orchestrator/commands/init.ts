import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { packageFolder } from '../config/groups.ts';
import { Slug } from '../contracts/primitives.ts';
import { PosetwinError } from '../errors.ts';

/** `Waving hands!.yaml` → `waving-hands`; what is left when nothing can be kept is `experiment`. */
const nameFrom = (file: string): string => {
  const slug = basename(file, extname(file))
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+|-+$/g, '')
    .slice(0, 64);
  return Slug.safeParse(slug).success ? slug : 'experiment';
};

const starterFor = (file: string): string => {
  const schema = relative(dirname(file), join(packageFolder, 'configs/schema/experiment.schema.json'));
  return readFileSync(join(packageFolder, 'configs/starter.yaml'), 'utf8')
    .replace(/\$schema=\S+/, () => `$schema=${schema.replaceAll('\\', '/')}`)
    .replace(/^name: .*$/m, () => `name: ${nameFrom(file)}`);
};

/**
 * `posetwin init my.yaml`: writes a commented starter experiment and answers 0.
 * Throws `usage` when the file exists already, or cannot be written.
 */
export const init = async (name: string): Promise<number> => {
  const file = resolve(extname(name) === '' ? `${name}.yaml` : name);
  try {
    writeFileSync(file, starterFor(file), { flag: 'wx' });
  } catch (cause) {
    const exists = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST';
    const hint = exists ? 'choose another name' : 'choose a folder that exists and can be written to';
    throw new PosetwinError('usage', `${file} ${exists ? 'exists already' : 'cannot be written'}`, { cause, hint });
  }
  console.log(
    `written: ${relative(process.cwd(), file)}\nnext:    npx tsx orchestrator/run.ts ${relative(process.cwd(), file)}`,
  );
  return 0;
};
