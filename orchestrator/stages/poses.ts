import { join } from 'node:path';
import { z } from 'zod';
import type { Experiment } from '../contracts/experiment.ts';
import { facadeContract } from '../contracts/facade.ts';
import { isPictureSource } from '../contracts/sources.ts';
import { type Fingerprints, projectFolder, readJsonIfThere, type Store, writeJson } from '../runs/index.ts';
import type { Services } from './services.ts';

const Answer = facadeContract.list_poses.result;
export type PoseLibrary = z.output<typeof Answer>;
const Remembered = z.object({ digest: z.string(), answer: Answer });

const worldFolder = join(projectFolder, 'python', 'posetwin', 'mini');

const drawsFigures = (experiment: Experiment): boolean =>
  experiment.dataset.sources.some(source => !isPictureSource(source));

/**
 * The pose library of the mini world, as Python tells it; undefined where no source needs it. The answer is remembered
 * until the world's source changes, so that a run that is all cached starts no Python. Without `services` only the
 * memory is asked, however old.
 */
export const poseLibrary = async (
  experiment: Experiment,
  store: Store,
  prints: Fingerprints,
  services?: Services,
): Promise<PoseLibrary | undefined> => {
  if (!drawsFigures(experiment)) return undefined;
  const file = store.memory('poses.json');
  const digest = await prints.of(worldFolder, path => path.endsWith('.py'));
  const known = await readJsonIfThere(file, Remembered).catch(() => undefined);
  if (services === undefined || known?.digest === digest) return known?.answer;
  const answer = await (await services.bridge()).call('list_poses', {});
  await writeJson(file, { digest, answer });
  return answer;
};
