import type { Source } from '../contracts/sources.ts';

/** What is known of the licence of a source by its kind; of all others only their owner knows. */
export const licences = {
  mini: 'Apache-2.0, drawn',
  poses: 'the table’s own; the pictures are drawn',
  mpii: 'annotations: Simplified BSD, for research; the pictures are frames of YouTube videos, no commercial use',
  coco: 'annotations: CC BY 4.0; the pictures are from Flickr, each under its own terms: see the site',
} as const satisfies Partial<Record<Source['kind'], string>>;

export const licenceOf = ({ kind }: Source): string =>
  Object.entries(licences).find(([name]) => name === kind)?.[1] ?? 'of the source';
