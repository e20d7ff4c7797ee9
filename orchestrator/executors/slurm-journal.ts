import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { appendLine, readLines } from '../runs/index.ts';

const Line = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('planned'), array: z.string(), trials: z.array(z.string()) }),
  z.strictObject({ type: z.literal('submitted'), array: z.string(), job_id: z.string() }),
  z.strictObject({ type: z.literal('settled'), array: z.string(), task: z.int(), state: z.string() }),
]);
type Line = z.output<typeof Line>;

/** A job array that was, or may have been, submitted. A task is the place of its trial in it. */
export interface TrialArray {
  token: string;
  /** their ids */
  trials: readonly string[];
  /** undefined when nobody lived to note it */
  job_id: string | undefined;
  /** tasks that nobody waits for any more */
  settled: Set<number>;
}

/** What was submitted and what became of it, one line each, so that an orchestrator that was killed loses no job. */
export class SlurmJournal {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  folderOf({ token }: Pick<TrialArray, 'token'>): string {
    return join(this.folder, token);
  }

  async read(): Promise<TrialArray[]> {
    const arrays = new Map<string, TrialArray>();
    for (const line of await readLines(this.#file, Line)) {
      if (line.type === 'planned') {
        arrays.set(line.array, { token: line.array, trials: line.trials, job_id: undefined, settled: new Set() });
        continue;
      }
      const array = arrays.get(line.array);
      if (array === undefined) continue;
      if (line.type === 'submitted') array.job_id = line.job_id;
      else array.settled.add(line.task);
    }
    return [...arrays.values()];
  }

  /** Before sbatch is called: from here on the array is looked for, whatever happens. */
  async plan(trials: readonly string[]): Promise<TrialArray> {
    const token = randomUUID().slice(0, 8);
    const array: TrialArray = { token, trials, job_id: undefined, settled: new Set() };
    await mkdir(join(this.folderOf(array), 'exits'), { recursive: true });
    await this.#append({ type: 'planned', array: token, trials: [...trials] });
    return array;
  }

  async submitted(array: TrialArray, job_id: string): Promise<void> {
    array.job_id = job_id;
    await this.#append({ type: 'submitted', array: array.token, job_id });
  }

  async settled(array: TrialArray, task: number, state: string): Promise<void> {
    array.settled.add(task);
    await this.#append({ type: 'settled', array: array.token, task, state });
  }

  get #file(): string {
    return join(this.folder, 'journal.jsonl');
  }

  #append(line: Line): Promise<void> {
    return appendLine(this.#file, line);
  }
}
