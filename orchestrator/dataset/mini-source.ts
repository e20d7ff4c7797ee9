import type { Item } from '../contracts/assembled.ts';
import type { Split } from '../contracts/dataset.ts';
import type { Source } from '../contracts/sources.ts';
import { PosetwinError } from '../errors.ts';
import type { SeededHash } from './random.ts';

export type MiniSource = Extract<Source, { kind: 'mini' }>;
export interface NamedPose {
  name: string;
  split: Split;
  /** how often it is drawn, relative to the other poses of its split */
  share: number;
}
export type Unnumbered = Item extends infer I ? (I extends Item ? Omit<I, 'id'> : never) : never;

/** The mini world keeps seeds from here on for held-out pictures, so that no figure is seen in both splits. */
const firstHeldOutSeed = 1_000_000_000;
const seedEnd = 2 ** 32;

/** The seed of picture `index` that a source draws in one split. */
export const drawSeed = (sourceIndex: number, split: Split, index: number, random: SeededHash): number => {
  const range = split === 'train' ? firstHeldOutSeed : seedEnd - firstHeldOutSeed;
  const drawn = random.below(range, 'picture', split, sourceIndex, index);
  return split === 'train' ? drawn : firstHeldOutSeed + drawn;
};

/** A poses × seeds drawing: `count` pictures of one split, each a function of (seed, source, index). */
export function* drawMini(
  source: MiniSource,
  sourceIndex: number,
  split: Split,
  count: number,
  poses: readonly NamedPose[],
  random: SeededHash,
): Generator<Unnumbered> {
  const chosen = posesOf(source, split, poses);
  for (let index = 0; index < count; index += 1) {
    const pose = pickByShare(chosen, random.fraction('pose', split, sourceIndex, index));
    yield { kind: 'mini', split, seed: drawSeed(sourceIndex, split, index, random), pose };
  }
}

/** The pose at `fraction` (0 to 1) of the shares laid end to end. */
const pickByShare = (poses: readonly NamedPose[], fraction: number): string => {
  let rest = fraction * poses.reduce((sum, { share }) => sum + share, 0);
  for (const { name, share } of poses) {
    rest -= share;
    if (rest < 0) return name;
  }
  return poses.at(-1)?.name ?? '';
};

/** The poses of one split. Raises `unknown_value` for a name that is no training pose. */
export const posesOf = (source: MiniSource, split: Split, poses: readonly NamedPose[]): NamedPose[] => {
  const offered = poses.filter(pose => pose.split === split);
  const wanted = source.poses;
  if (split === 'held_out' || wanted === null) return offered;
  const names = offered.map(pose => pose.name);
  const unknown = wanted.filter(name => !names.includes(name));
  if (unknown.length === 0) return offered.filter(({ name }) => wanted.includes(name));
  throw new PosetwinError('unknown_value', `no training pose is called ${unknown.map(n => `'${n}'`).join(', ')}`, {
    path: 'dataset.sources',
    hint: `Training poses: ${names.join(', ')}.`,
  });
};
