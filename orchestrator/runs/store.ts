import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { PlannedStage } from '../plan/plan.ts';
import { type LockOptions, withLock } from '../processes/lock.ts';
import { readJson, readJsonIfThere, writeJson } from './files.ts';

/** What is written beside a stage's outputs when it is complete. */
export const StageRecord = z.object({
  stage: z.string(),
  key: z.string(),
  version: z.int(),
  spec: z.unknown(),
  inputs: z.record(z.string(), z.string()),
  finished: z.string(),
  seconds: z.number(),
  code_digest: z.string(),
});
export type StageRecord = z.output<typeof StageRecord>;

export type StageState = 'done' | 'partial' | 'absent';

export interface StoreEntry {
  stage: string;
  key: string;
  complete: boolean;
  folder: string;
}

type Waiting = Omit<LockOptions, 'code'>;
type Named = Pick<PlannedStage, 'name' | 'key'>;

/** Stage outputs shared by all runs: `<root>/<stage>/<key>/`, `<key>.partial/` while one is being made. */
export class Store {
  readonly root: string;

  constructor(root = process.env.POSETWIN_STORE ?? '.posetwin/store') {
    this.root = resolve(root);
  }

  folder({ name, key }: Named): string {
    return join(this.root, name, key);
  }

  /** A file of what is remembered to save time; deleting it costs a few seconds, never a result. */
  memory(name: string): string {
    return join(this.root, '.memory', name);
  }

  partial(stage: Named): string {
    return `${this.folder(stage)}.partial`;
  }

  state(stage: Named): StageState {
    if (existsSync(join(this.folder(stage), 'stage.json'))) return 'done';
    return existsSync(this.partial(stage)) ? 'partial' : 'absent';
  }

  record(stage: Named): Promise<StageRecord> {
    return readJson(join(this.folder(stage), 'stage.json'), StageRecord);
  }

  /**
   * Runs `work` in the stage's partial folder, which may be new, while this process alone may write there, after waiting
   * for another process that is computing the same stage; undefined, and nothing done, where that one has completed it.
   * Raises `cancelled` when `signal` ends the wait, `store_locked` when it is longer than `wait_ms`.
   */
  async work<T>(
    stage: Named,
    work: (partial: string, isNew: boolean) => Promise<T>,
    waiting: Waiting = {},
  ): Promise<T | undefined> {
    const run = async () => {
      const before = this.state(stage);
      if (before === 'done') return undefined;
      await mkdir(this.partial(stage), { recursive: true });
      return work(this.partial(stage), before === 'absent');
    };
    return this.locked(stage.name, stage.key, run, waiting);
  }

  /** Declares the partial folder complete: record first, then one rename, so that `done` is never half true. */
  async finish(stage: PlannedStage, facts: Pick<StageRecord, 'finished' | 'seconds' | 'code_digest'>): Promise<void> {
    const { name, version, key, spec, inputs } = stage;
    const record: StageRecord = { stage: name, version, key, spec, inputs, ...facts };
    await writeJson(join(this.partial(stage), 'stage.json'), record);
    await rename(this.partial(stage), this.folder(stage));
  }

  /** The newest complete entry of this stage, to say what differs. */
  async newest(stage: string): Promise<StageRecord | undefined> {
    const entries = (await this.entries()).filter(entry => entry.stage === stage && entry.complete);
    const records = await Promise.all(
      entries.map(entry => readJsonIfThere(join(entry.folder, 'stage.json'), StageRecord)),
    );
    return records
      .filter(record => record !== undefined)
      .sort((a, b) => b.finished.localeCompare(a.finished))
      .at(0);
  }

  async entries(): Promise<StoreEntry[]> {
    const stages = (await readdir(this.root).catch(() => [])).filter(name => !name.startsWith('.'));
    const nested = await Promise.all(stages.map(stage => this.entriesOf(stage)));
    return nested.flat();
  }

  async remove({ stage, key, folder }: StoreEntry): Promise<void> {
    await this.locked(stage, key, () => rm(folder, { recursive: true, force: true }));
  }

  private async locked<T>(stage: string, key: string, run: () => Promise<T>, waiting: Waiting = {}): Promise<T> {
    await mkdir(join(this.root, stage), { recursive: true });
    return withLock(join(this.root, stage, `${key}.lock`), { code: 'store_locked', wait_ms: 0, ...waiting }, run);
  }

  private async entriesOf(stage: string): Promise<StoreEntry[]> {
    const names = await readdir(join(this.root, stage), { withFileTypes: true });
    return names
      .filter(name => name.isDirectory() && !name.name.endsWith('.lock'))
      .map(({ name }) => ({
        stage,
        key: name.replace(/\.partial$/, ''),
        complete: !name.endsWith('.partial'),
        folder: join(this.root, stage, name),
      }));
  }
}

/** Bytes of everything below the folder. */
export const folderSize = async (folder: string): Promise<number> => {
  const names = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = names.filter(name => name.isFile());
  const sizes = await Promise.all(files.map(async name => (await stat(join(name.parentPath, name.name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
};
