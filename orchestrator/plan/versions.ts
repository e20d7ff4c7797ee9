/** The stages in the order in which a run goes through them. */
export const stageNames = ['assemble', 'cache', 'train', 'evaluate', 'verdict', 'figures', 'report'] as const;
export type StageName = (typeof stageNames)[number];

/**
 * Part of every key. Raise a number by hand when a stage computes something else from the same inputs; a change of
 * code that does not change results must not throw away hours of training, so the code's digest is no part of a key.
 */
export const stageVersions: Readonly<Record<StageName, number>> = {
  assemble: 1,
  cache: 1,
  train: 1,
  evaluate: 1,
  verdict: 1,
  figures: 1,
  report: 1,
};
