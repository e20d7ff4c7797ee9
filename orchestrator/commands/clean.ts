import { type SizedEntry, Store, surveyStore } from '../runs/index.ts';
import { formatBytes, formatTable } from './table.ts';

const total = (entries: readonly SizedEntry[]): number => entries.reduce((sum, { bytes }) => sum + bytes, 0);

const row = ({ stage, key, complete, bytes, runs }: SizedEntry): string[] => [
  stage,
  complete ? key : `${key} (begun)`,
  formatBytes(bytes),
  runs.length === 0 ? 'no run uses it' : runs.join(', '),
];

/**
 * `posetwin clean`: what the store holds. Garbage is what no run in runs/ refers to; `yes` deletes it, else nothing
 * is touched. Answers 0; raises `store_locked` when an entry is being written.
 */
export const clean = async ({ yes, json }: { yes: boolean; json: boolean }): Promise<number> => {
  const store = new Store();
  const entries = await surveyStore(store);
  const garbage = entries.filter(entry => entry.runs.length === 0);
  if (yes) for (const entry of garbage) await store.remove(entry);
  const sizes = { total_bytes: total(entries), garbage_bytes: total(garbage), deleted: yes };
  if (json) {
    console.log(JSON.stringify({ store: store.root, ...sizes, entries }, null, 2));
    return 0;
  }
  if (entries.length > 0) console.log(formatTable([['stage', 'key', 'size', 'used by'], ...entries.map(row)]));
  console.log(`${store.root}: ${formatBytes(sizes.total_bytes)}, of it garbage ${formatBytes(sizes.garbage_bytes)}`);
  if (garbage.length > 0) console.log(yes ? 'garbage deleted' : 'delete the garbage with: clean --yes');
  return 0;
};
