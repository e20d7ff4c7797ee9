import { PosetwinError } from '../errors.ts';
import { surveySet } from '../report/dataset/survey.ts';
import { exportImagefolder } from './dataset-export.ts';
import { type FoundSet, findSet } from './dataset-find.ts';
import { writeDatasetPage } from './dataset-page.ts';
import { describeSet } from './dataset-text.ts';
import { exitCodes } from './exit-codes.ts';

export interface DatasetOptions {
  json: boolean;
  /** the page to write */
  html?: string;
  pairs: number;
  force: boolean;
  /** `imagefolder` */
  export?: string;
}

const check = ({ json, html, export: format }: DatasetOptions, out: string | undefined): void => {
  const modes = [json, html !== undefined, format !== undefined].filter(Boolean).length;
  if (modes > 1) throw new PosetwinError('usage', '--json, --html and --export exclude each other');
  if (format !== undefined && out === undefined)
    throw new PosetwinError('usage', '--export needs a folder to write', { hint: '--export imagefolder <folder>' });
  if (format === undefined && out !== undefined)
    throw new PosetwinError('usage', `what is '${out}' for?`, { hint: `--export imagefolder ${out}` });
};

const jsonOf = async ({ set, name }: FoundSet): Promise<string> => {
  const { shards, ...manifest } = set.manifest;
  const { splits, sources, classes, visible, rejected } = await surveySet(set);
  const bytes = shards.reduce((sum, shard) => sum + shard.bytes, 0);
  const counted = { num_samples: splits, by_source: sources, by_class: classes, num_visible: visible, rejected };
  return JSON.stringify({ name, folder: set.folder, ...counted, bytes, num_shards: shards.length, manifest }, null, 2);
};

/**
 * `posetwin dataset <folder>`: what an assembled set holds, as text or JSON; as a page (`--html`); or copied into a
 * folder that `datasets` and diffusers read (`--export`). Answers 0, 2; raises `usage`, `missing_file`, `corrupt_file`,
 * `unsafe_path`.
 */
export const showDataset = async (given: string, out: string | undefined, options: DatasetOptions): Promise<number> => {
  check(options, out);
  const found = await findSet(given);
  if (typeof found === 'number') return found;
  const { set, name } = found;
  if (options.html !== undefined) console.log(`page: ${await writeDatasetPage(found, options.html, options)}`);
  else if (out !== undefined) console.log(`imagefolder: ${await exportImagefolder(set, out)}`);
  else if (options.json) console.log(await jsonOf(found));
  else console.log(describeSet(name, set.folder, set.manifest, await surveySet(set)));
  return exitCodes.done;
};
