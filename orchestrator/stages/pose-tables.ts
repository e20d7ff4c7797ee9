import { z } from 'zod';
import { facadeContract } from '../contracts/facade.ts';
import type { PosesSource } from '../dataset/index.ts';
import { type Fingerprints, readJsonIfThere, type Store, writeJson } from '../runs/index.ts';
import type { Services } from './services.ts';

const Remembered = z.record(z.string(), facadeContract.count_poses.result);

/**
 * How many poses a table holds, as Python tells it; remembered by what is in the file. Raises `missing_file`,
 * `corrupt_file`, `unknown_value`, `bad_keypoints`, `too_few_samples`.
 */
export const countRows = async (
  { path, layout }: PosesSource,
  store: Store,
  prints: Fingerprints,
  services: Services,
): Promise<number> => {
  const file = store.memory('pose-tables.json');
  const known = (await readJsonIfThere(file, Remembered).catch(() => undefined)) ?? {};
  const digest = `${await prints.of(path)} ${layout}`;
  if (known[digest] !== undefined) return known[digest].rows;
  const answer = await (await services.bridge()).call('count_poses', { path, layout });
  await writeJson(file, { ...known, [digest]: answer });
  return answer.rows;
};
