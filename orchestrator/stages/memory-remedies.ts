import { ranksOf, type Train } from '../contracts/method.ts';

/** A training that does not fit, and a way to ask how much another one like it would need. */
export interface Misfit {
  section: string;
  settings: Train;
  needed_mb: number;
  device: { kind: string; memory_mb: number };
  /** MiB of the device's memory under these settings with so many samples at once */
  need: (settings: Train, batch_size: number) => Promise<number>;
}

type Changes = Partial<Train>;

const rangeFrom = (first: number, last: number): number[] =>
  Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);

const sizeOf = (train: Train): number => train.global_batch_size / (ranksOf(train) * train.gradient_accumulation_steps);

/**
 * The most samples at once that fit, 0 where not even one does. Memory is convex in the samples, since every part of a
 * training grows in proportion to them or stays: a chord never promises too much, and one more than it promises is tried.
 */
export const largestBatch = async ({ settings, needed_mb, device, need }: Misfit): Promise<number> => {
  const above = Math.ceil(sizeOf(settings));
  let size = 0;
  for (let next = 1; next < above; ) {
    const needed = await need(settings, next);
    if (needed > device.memory_mb) break;
    size = next;
    const chord = size + ((device.memory_mb - needed) * (above - size)) / (needed_mb - needed);
    next = Math.max(size + 1, Math.floor(chord));
  }
  return size;
};

/** The same steps from smaller parts: more parts a rank, or more ranks where each has a device of its own. */
const sharedDifferently = ({ settings, device }: Misfit, largest: number): Changes[] => {
  const { nproc_per_node, gradient_accumulation_steps, global_batch_size } = settings;
  const suits = (changes: Changes) => {
    const size = sizeOf({ ...settings, ...changes });
    return Number.isInteger(size) && size <= largest;
  };
  const parts = rangeFrom(gradient_accumulation_steps + 1, global_batch_size)
    .map(n => ({ gradient_accumulation_steps: n }))
    .find(suits);
  const ranks = rangeFrom(nproc_per_node + 1, Math.min(64, global_batch_size))
    .map(n => ({ nproc_per_node: n }))
    .find(suits);
  return [...(parts ? [parts] : []), ...(ranks && device.kind === 'cuda' ? [ranks] : [])];
};

/** One process holds the models once, and works through all the parts. */
const alone = ({ nproc_per_node, gradient_accumulation_steps }: Train): Changes => ({
  nproc_per_node: 1,
  gradient_accumulation_steps: nproc_per_node * gradient_accumulation_steps,
});

/** Less memory for the same batch, each alone before it comes with others. */
const lighter = ({ settings, device }: Misfit): Changes[] => {
  const { nproc_per_node, global_batch_size } = settings;
  const checkpointing: Changes = settings.gradient_checkpointing ? {} : { gradient_checkpointing: true };
  const precision: Changes = settings.mixed_precision === 'no' ? { mixed_precision: 'bf16' } : {};
  const both = { ...checkpointing, ...precision };
  const one = device.kind !== 'cuda' && nproc_per_node > 1 ? alone(settings) : {};
  const smallest = { ...both, gradient_accumulation_steps: global_batch_size / ranksOf(settings) };
  const isChange = (changes: Changes) =>
    Object.keys(changes).length > 0 && Number.isInteger(sizeOf({ ...settings, ...changes }));
  return [one, checkpointing, precision, both, smallest].filter(isChange);
};

const contains = (changes: Changes, others: Changes): boolean => Object.keys(others).every(key => key in changes);

/** As on the command line: `train.gradient_checkpointing=true`. */
const describe = (section: string, changes: Changes): string =>
  Object.entries(changes)
    .map(([key, value]) => `${section}.${key}=${value}`)
    .join(' with ');

/** The settings under which it would fit, each asked about, the least change of the result first; none: none is known. */
export const findRemedies = async (misfit: Misfit): Promise<string[]> => {
  const { section, settings, device, need } = misfit;
  const fits = async (changes: Changes): Promise<boolean> => {
    const changed = { ...settings, ...changes };
    return (await need(changed, Math.ceil(sizeOf(changed)))) <= device.memory_mb;
  };
  const found: Changes[] = [];
  const largest = await largestBatch(misfit);
  for (const changes of [...(largest > 0 ? sharedDifferently(misfit, largest) : []), ...lighter(misfit)])
    if (!found.some(other => contains(changes, other)) && (await fits(changes))) found.push(changes);
  const shares = ranksOf(settings) * settings.gradient_accumulation_steps;
  if (largest > 0) found.push({ global_batch_size: largest * shares });
  return found.map(changes => describe(section, changes));
};
