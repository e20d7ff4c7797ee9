import type { Split } from '../../contracts/dataset.ts';

export const splitNames: Record<Split, string> = { train: 'training', held_out: 'held out' };
export const splits: readonly Split[] = ['train', 'held_out'];

const meanings: Record<string, string> = {
  no_person: 'The detector found nobody.',
  no_visible_keypoint: 'Nobody of whom a joint lies inside the picture.',
  several_people: 'More than one person, where only one was asked for.',
  too_few_keypoints: 'Fewer joints seen than were asked for.',
  person_too_small: 'The person is smaller than was asked for.',
  duplicate: 'The same picture, or nearly, is there already.',
  bad_image: 'The file is damaged, or no picture that can be read.',
  bad_keypoints: 'The keypoints are no numbers, or not as many as the layout has.',
  bad_annotations: 'What is noted about the picture cannot be used.',
  missing_file: 'The list names it, but it is not there.',
  source_changed: 'The file changed after the source was listed.',
  bad_name: 'The name is no text that can be written down.',
  unsafe_path: 'The name leads out of the source.',
};

/** What a code of rejected.jsonl means, for those who have never seen it; empty for one that came up since. */
export const meaningOf = (code: string): string => meanings[code] ?? '';

/** A class, or that there is none. */
export const className = (name: string): string => (name === '' ? 'no class' : name);
