/** Readings and numbers of the dataset that cannot be had together, or would have no effect beside others. */
import type { Dataset, Filters } from '../contracts/dataset.ts';
import { isPictureSource, type Source } from '../contracts/sources.ts';
import { idle, type Refusal, type Rule, refuseIf, usual } from './rules.ts';

const ofDataset = (check: (dataset: Dataset) => Refusal | undefined): Rule => ({
  reads: ['dataset'],
  check: ({ dataset }) => check(dataset),
});

const enoughCouples = ({ num_images, num_pairs, captions, num_captioned }: Dataset): Refusal | undefined => {
  const [images, key] =
    captions === 'captioned-only' && num_captioned < num_images
      ? [num_captioned, 'dataset.num_captioned']
      : [num_images, 'dataset.num_images'];
  const couples = (images * (images - 1)) / 2;
  return refuseIf(
    num_pairs > couples,
    ['dataset.num_pairs', key],
    `${images} images make only ${couples} different pairs, not ${num_pairs}`,
    `fewer \`dataset.num_pairs\` or more \`${key}\``,
  );
};

const idleNumPairs = ({ num_pairs }: Dataset): Refusal | undefined =>
  refuseIf(
    num_pairs !== usual.dataset.num_pairs,
    // Where a named config brings num_pairs along, the reading beside it is what the writer can change.
    ['dataset.num_pairs', 'dataset.pairs'],
    `all combinations are made: \`dataset.num_pairs: ${num_pairs}\` has no effect`,
    `leave it out, or at ${usual.dataset.num_pairs} where a named config sets it; or \`dataset.pairs: random\``,
  );

/** Kinds whose pictures never have a class; drawn figures have the name of their pose. */
const withoutClasses = new Set<Source['kind']>(['poses', 'folder']);

const noClasses = ({ pairs, sources }: Dataset): Refusal | undefined =>
  refuseIf(
    pairs === 'other-class' && sources.every(({ kind }) => withoutClasses.has(kind)),
    ['dataset.pairs', 'dataset.sources'],
    'no source has classes, and so no picture is of another class',
    '`dataset.pairs: random`, or a source of kind classes, mpii or mini',
  );

const onDisk = 'sources: of pictures on disk';

const idleFilter = (filters: Filters): Refusal | undefined => {
  const refusals = Object.entries(usual.dataset.filters).map(([key, byDefault]) =>
    idle(`dataset.filters.${key}`, new Map<string, unknown>(Object.entries(filters)).get(key), byDefault, onDisk),
  );
  return refusals.find(refusal => refusal !== undefined);
};

/** What is done to pictures that lie on disk has no effect where all are drawn. */
const idleOfPictures = ({ sources, captioner, resize, filters }: Dataset): Refusal | undefined => {
  if (sources.some(isPictureSource)) return undefined;
  return (
    idle('dataset.captioner', captioner, usual.dataset.captioner, onDisk) ??
    idle('dataset.resize', resize, usual.dataset.resize, onDisk) ??
    idleFilter(filters)
  );
};

export const datasetRules: readonly Rule[] = [
  ofDataset(noClasses),
  ofDataset(idleOfPictures),
  ofDataset(dataset => (dataset.pairs === 'all-combinations' ? idleNumPairs(dataset) : enoughCouples(dataset))),
  ofDataset(({ pairs, min_distance }) =>
    pairs === 'far'
      ? undefined
      : idle('dataset.min_distance', min_distance, usual.dataset.min_distance, 'dataset.pairs: far'),
  ),
  ofDataset(({ captions, num_captioned, num_images }) =>
    captions !== 'captioned-only'
      ? idle('dataset.num_captioned', num_captioned, usual.dataset.num_captioned, 'dataset.captions: captioned-only')
      : refuseIf(
          // The default says nothing about a small set: all of its images are then taken.
          num_captioned > num_images && num_captioned !== usual.dataset.num_captioned,
          ['dataset.num_captioned', 'dataset.num_images'],
          `${num_captioned} of ${num_images} images cannot be drawn`,
          'fewer `dataset.num_captioned` or more `dataset.num_images`',
        ),
  ),
  ofDataset(({ control }) =>
    control.style === 'openpose'
      ? idle('dataset.control.radius', control.radius, usual.dataset.control.radius, 'style: dots')
      : idle('dataset.control.line_width', control.line_width, usual.dataset.control.line_width, 'style: openpose'),
  ),
  {
    reads: ['dataset', 'evaluate'],
    check: ({ dataset: { num_held_out }, evaluate: { num_pairs } }) =>
      refuseIf(
        num_pairs > num_held_out,
        ['evaluate.num_pairs', 'dataset.num_held_out'],
        `${num_held_out} held-out images are paired once each, which makes no ${num_pairs} pairs`,
        'fewer `evaluate.num_pairs` or more `dataset.num_held_out`',
      ),
  },
];
