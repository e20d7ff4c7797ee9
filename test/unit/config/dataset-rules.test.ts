import { afterAll, describe, expect, it } from 'vitest';
import { faultsOf, makeWorkspace } from './workspace.ts';

const workspace = makeWorkspace();
afterAll(() => workspace.remove());
workspace.write({ 'photos/a.jpg': '', 'vit/config.json': '' });

const dataset = (text: string): string =>
  workspace.write({ 'x.yaml': `name: x\ndataset: {${text}}\nevaluate: {num_pairs: 4}\n` });

describe('a dataset', () => {
  it.each([
    ['of all combinations of few images', 'num_images: 10, pairs: all-combinations'],
    ['of all combinations of as many captioned images', 'pairs: all-combinations, captions: captioned-only'],
    ['that draws some captioned images', 'captions: captioned-only, num_captioned: 60'],
    ['whose captioned images are all of few', 'num_images: 60, captions: captioned-only'],
    ['with as many captioned images as there are', 'num_images: 60, captions: captioned-only, num_captioned: 60'],
    ['at a distance, of captioned images', 'pairs: far, min_distance: 0.3, captions: captioned-only'],
    ['of a named config with its pairs all combined', 'config: mini, pairs: all-combinations'],
    ['of drawn figures, paired by their poses', 'pairs: other-class'],
    [
      'of classes and photos, paired by class',
      'pairs: other-class, sources: [{kind: classes, path: photos}, {kind: folder, path: photos}]',
    ],
    ['of photos that are described', 'captioner: {path: vit/}, sources: [{kind: folder, path: photos}]'],
    [
      'of photos and figures, downsampled by a factor',
      'resize: {kind: factor}, sources: [{kind: mini}, {kind: folder, path: photos}]',
    ],
    ['of photos, filtered', 'filters: {people: one, min_person: 0.2}, sources: [{kind: folder, path: photos}]'],
    ['of figures, with filters as they are anyway', 'filters: {people: any}, resize: {kind: person}'],
  ])('%s is valid', (_, text) => {
    expect(faultsOf(dataset(text))).toEqual([]);
  });
});
