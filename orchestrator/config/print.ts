/** An experiment as YAML in which every value says where it comes from; loading it gives the same experiment. */
import { Document, isScalar } from 'yaml';
import type { Experiment } from '../contracts/experiment.ts';
import { formatOrigin, type Origins } from './origins.ts';

export const printExperiment = (experiment: Experiment, origins: Origins): string => {
  const document = new Document(experiment, { aliasDuplicateObjects: false });
  for (const [path, origin] of Object.entries(origins)) {
    const node = document.getIn(path.split('.'), true);
    if (isScalar(node)) node.comment = ` ${formatOrigin(origin).replace(/\s+/g, ' ')}`;
  }
  return document.toString({ lineWidth: 0 });
};
