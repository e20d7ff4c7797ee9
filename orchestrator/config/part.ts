/** One part of an experiment as an experiment: all that is not said keeps its default. */
import { Experiment } from '../contracts/experiment.ts';
import { flagText, type Place } from './source-text.ts';
import type { Entry, LocatedMap, LocatedScalar } from './tree.ts';

/** The parts that can stand alone. */
export type Part = 'schedule';

const unnamed = 'unnamed';

const scalar = (place: Place, value: string): LocatedScalar => ({ type: 'scalar', place, value });
const mapping = (place: Place, entries: Readonly<Record<string, Entry>>): LocatedMap => ({
  type: 'map',
  place,
  entries: new Map(Object.entries(entries)),
});

const experimentOf = (part: Part, value: LocatedMap, place: Place): LocatedMap =>
  mapping(place, { name: { key: place, value: scalar(place, unnamed) }, [part]: { key: place, value } });

/** The experiment that a file holding one part alone stands for; anything else as it is. */
export const aroundPart = (part: Part, tree: LocatedMap): LocatedMap =>
  tree.entries.has('kind') ? experimentOf(part, tree, tree.place) : tree;

/** The default experiment. Of its part it says the `kind` alone, so that `--set` may change any key, or all of it. */
export const defaultAround = (part: Part): LocatedMap => {
  const place = { source: flagText(''), offset: 0 };
  const { kind } = Experiment.parse({ name: unnamed })[part];
  return experimentOf(part, mapping(place, { kind: { key: place, value: scalar(place, kind) } }), place);
};
