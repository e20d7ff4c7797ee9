/** What sharing stages has saved, by what they took. */
import { join, resolve } from 'node:path';
import { type RunFolder, readJsonIfThere, StageRecord } from '../runs/index.ts';
import { formatDuration } from './table.ts';

export interface SweepCost {
  runs: number;
  /** of the different stages of these runs, each once */
  seconds: number;
  /** what as many runs take that find nothing there */
  separate_seconds: number;
}

/** Of runs that are done; waiting for another one's stage counts nothing. */
export const costOf = async (runs: readonly RunFolder[]): Promise<SweepCost> => {
  const taken = new Map<string, number>();
  let separate_seconds = 0;
  for (const run of runs) {
    for (const folder of Object.values((await run.stageFolders()) ?? {})) {
      const path = resolve(run.path, folder);
      const { seconds } = (await readJsonIfThere(join(path, 'stage.json'), StageRecord)) ?? { seconds: 0 };
      taken.set(path, seconds);
      separate_seconds += seconds;
    }
  }
  const seconds = [...taken.values()].reduce((sum, one) => sum + one, 0);
  return { runs: runs.length, seconds, separate_seconds };
};

/** `24 trials took 10 min 3 s of work, 0.56 times that of separate runs`; empty where there is nothing to compare. */
export const describeCost = ({ runs, seconds, separate_seconds }: SweepCost): string => {
  if (runs < 2 || separate_seconds === 0) return '';
  const ratio = (seconds / separate_seconds).toFixed(2);
  return `${runs} trials took ${formatDuration(seconds)} of work, ${ratio} times that of separate runs`;
};
