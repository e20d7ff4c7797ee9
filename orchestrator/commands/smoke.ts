/** `--smoke`: what is run stands for the experiment in small. */
import type { LoadedSweep, Search } from '../config/sweep.ts';
import type { Experiment } from '../contracts/experiment.ts';
import { PosetwinError } from '../errors.ts';
import { smokeName, smokeOf } from '../plan/smoke.ts';

interface Size {
  smoke: boolean;
}

export const inSize = <T extends { experiment: Experiment }>(resolved: T, { smoke }: Size): T =>
  smoke ? { ...resolved, experiment: smokeOf(resolved.experiment) } : resolved;

export const sweepInSize = (sweep: LoadedSweep, size: Size): LoadedSweep => {
  if (!sweep.ok) return sweep;
  const trials = sweep.trials.map(({ assignment, result }) => ({
    assignment,
    result: result.ok ? inSize(result, size) : result,
  }));
  return { ...sweep, trials };
};

export const searchInSize = (search: Search, size: Size): Search => ({
  ...search,
  name: size.smoke ? smokeName(search.name) : search.name,
  withTrials: asked => sweepInSize(search.withTrials(asked), size),
});

export const refuseWithSmoke = (): PosetwinError =>
  new PosetwinError('usage', '--smoke runs something: it cannot be had with --dry-run or --print-config', {
    hint: 'leave one of them out',
  });
