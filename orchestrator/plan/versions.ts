/** The stages in the order in which a run goes through them. */
export const stageNames = [
  'index',
  'assemble',
  'cache',
  'primary',
  'features',
  'train',
  'baseline',
  'evaluate',
  'audit',
  'verdict',
  'figures',
  'report',
] as const;
export type StageName = (typeof stageNames)[number];

/**
 * Part of every key. Raise a number by hand when a stage computes something else from the same inputs; a change of
 * code that does not change results must not throw away hours of training, so the code's digest is no part of a key.
 */
export const stageVersions: Readonly<Record<StageName, number>> = {
  index: 1,
  assemble: 3,
  cache: 3,
  primary: 2,
  features: 1,
  train: 2,
  baseline: 1,
  evaluate: 3,
  audit: 1,
  verdict: 2,
  figures: 2,
  report: 2,
};
