import { resolve } from 'node:path';
import { listRuns } from './run-folder.ts';
import { folderSize, type Store, type StoreEntry } from './store.ts';

export interface SizedEntry extends StoreEntry {
  bytes: number;
  /** runs that use the entry, as `name/id` */
  runs: string[];
}

/** Every entry of the store with its size and the runs that refer to it. An entry without runs is garbage. */
export const surveyStore = async (store: Store, root = 'runs'): Promise<SizedEntry[]> => {
  const users = new Map<string, string[]>();
  for (const run of await listRuns(root)) {
    for (const folder of Object.values((await run.stageFolders()) ?? {})) {
      const path = resolve(run.path, folder);
      users.set(path, [...(users.get(path) ?? []), `${run.name}/${run.id}`]);
    }
  }
  return Promise.all(
    (await store.entries()).map(async entry => ({
      ...entry,
      bytes: await folderSize(entry.folder),
      runs: users.get(entry.folder.replace(/\.partial$/, '')) ?? [],
    })),
  );
};
