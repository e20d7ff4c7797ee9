import { type PosetwinError, toPosetwinError } from '../errors.ts';
import { chooseRun, Store } from '../runs/index.ts';
import { assemblePart } from '../stages/assemble.ts';
import { index } from '../stages/index-sources.ts';
import { Services } from '../stages/services.ts';
import { runStage } from '../stages/stage.ts';
import { describeError, exitCodeOf, exitCodes } from './exit-codes.ts';
import { catchInterrupts } from './interrupts.ts';
import { loadChecked, makePlan } from './prepare.ts';
import { standardError, Terminal } from './terminal.ts';

export interface AssembleOptions {
  set: readonly string[];
  /** `2/8`: the third eighth of the chunks */
  part: string;
}

const fail = (error: PosetwinError): number => {
  console.error(describeError(error));
  return exitCodeOf(error);
};

/**
 * `posetwin assemble x.yaml --part 2/8`: a share of the set's chunks, so that several machines make it side by side, as
 * tasks of a job array or by hand. `posetwin run x.yaml` then finds them, makes what is missing and ends the set.
 * Answers 0, 2 for a bad experiment, 3 where it failed, 130 interrupted.
 */
export const assembleSome = async (file: string, { set, part }: AssembleOptions): Promise<number> => {
  const loaded = loadChecked(file, { set, json: false });
  if ('exitCode' in loaded) return loaded.exitCode;
  const { experiment } = loaded;
  const [store, terminal] = [new Store(), new Terminal(standardError(), { train: 0, primary: 0 })];
  const { run, fresh } = chooseRun(experiment, { fresh: false });
  const { release, named, ...interrupts } = catchInterrupts(line => terminal.line(line));
  const services = new Services({ onSetup: line => terminal.line(line), signal: interrupts.stop });
  try {
    const plan = await makePlan(loaded, fresh, store, services);
    const context = { experiment, plan, store, run, services, interrupts, emit: terminal.show.bind(terminal) };
    await runStage(context, index);
    const made = await assemblePart(context, part);
    terminal.line(made ? `part ${part} is done: posetwin run ${file} ends the set` : 'the set is there already');
    return exitCodes.done;
  } catch (cause) {
    return fail(named(toPosetwinError(cause)));
  } finally {
    await services.close();
    release();
  }
};
