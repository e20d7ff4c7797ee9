import { Dataset, type Sample, type Split } from '../../../orchestrator/contracts/dataset.ts';
import type { Facts } from '../../../orchestrator/dataset/index.ts';

export const dataset = (input: Partial<Dataset> = {}): Dataset => Dataset.parse(input);

/** A sample whose 18 keypoints all sit `shift` px to the right of those of shift 0. */
export const sample = (id: number, split: Split = 'train', shift = id, caption = `caption ${id}`): Sample => ({
  id,
  split,
  source: 'mini',
  image: `images/${id}.png`,
  control: `control/${id}.png`,
  caption,
  pose: `pose ${id % 3}`,
  keypoints: Array.from({ length: 18 }, (_, k): [number, number, number] => [k + shift, 2 * k, 2]),
  attributes: {},
});

/** Training samples first, ids from 0. */
export const samples = (train: number, heldOut: number): Sample[] => [
  ...Array.from({ length: train }, (_, id) => sample(id)),
  ...Array.from({ length: heldOut }, (_, id) => sample(train + id, 'held_out')),
];

export const poses = [
  { name: 'standing', split: 'train', share: 1 },
  { name: 'waving_left', split: 'train', share: 1 },
  { name: 'tree', split: 'held_out', share: 1 },
] as const;

/** Every table holds `rows` poses. */
export const factsWith = (rows: number): Facts => ({ poses, countRows: async () => rows });
export const facts = factsWith(10);
