/** How to get the datasets of the paper and its field. Nothing is downloaded or redistributed: paths are the user's. */
import { licences } from '../stages/licences.ts';

export interface DatasetGuide {
  name: string;
  site: string;
  /** what to fetch there */
  get: string;
  /** in one line, and only what is sure; the site has the last word */
  licence: string;
  /** what `path` should look like */
  layout: string[];
  /** one entry of `dataset.sources` */
  yaml: string;
}

export const datasetGuides: readonly DatasetGuide[] = [
  {
    name: 'MPII Human Pose',
    site: 'http://human-pose.mpi-inf.mpg.de',
    get: 'the images (mpii_human_pose_v1.tar.gz, 12.9 GB) and the annotations (mpii_human_pose_v1_u12_2.zip)',
    licence: licences.mpii,
    layout: [
      'mpii/images/015601864.jpg …',
      'mpii/mpii_human_pose_v1_u12_1.mat (or a JSON conversion: annot/train.json)',
    ],
    yaml: '- {kind: mpii, path: data/mpii}',
  },
  {
    name: 'COCO 2017 keypoints and captions',
    site: 'https://cocodataset.org/#download',
    get: 'train2017.zip or val2017.zip, and annotations_trainval2017.zip',
    licence: licences.coco,
    layout: [
      'coco/train2017/000000000009.jpg …',
      'coco/annotations/person_keypoints_train2017.json, captions_train2017.json',
    ],
    yaml: '- {kind: coco, path: data/coco/train2017, annotations: data/coco/annotations/person_keypoints_train2017.json, captions: data/coco/annotations/captions_train2017.json}',
  },
  {
    name: 'Cricket Shots',
    site: 'https://www.kaggle.com: search for "cricket shot dataset"',
    get: 'the archive (an account is needed), unpacked',
    licence: 'see the page of the dataset: Kaggle names the licence of each',
    layout: ['cricket/drive/….png', 'cricket/sweep/….png: a folder for each shot, its name is the class'],
    yaml: '- {kind: classes, path: data/cricket, caption: "a cricketer playing a {class}"}',
  },
  {
    name: 'Yoga Posture',
    site: 'https://www.kaggle.com: search for "yoga posture dataset"',
    get: 'the archive (an account is needed), unpacked',
    licence: 'see the page of the dataset: Kaggle names the licence of each',
    layout: ['yoga/Bakasana/….jpeg', 'yoga/Vrksasana/….png: a folder for each posture, its name is the class'],
    yaml: '- {kind: classes, path: data/yoga, caption: "a person doing yoga, {class}"}',
  },
  {
    name: 'Human-Art',
    site: 'https://idea-research.github.io/HumanArt/',
    get: 'pictures and annotations, asked for by the form on the site',
    licence: 'see the site',
    layout: [
      'data/HumanArt/images/…, data/HumanArt/annotations/training_humanart.json, in the format of COCO',
      'path is what the file_name of the annotations is relative to: the folder that holds HumanArt/',
    ],
    yaml: '- {kind: coco, path: data, annotations: data/HumanArt/annotations/training_humanart.json}',
  },
];

const linesOf = ({ name, site, get, licence, layout, yaml }: DatasetGuide): string[] => [
  name,
  `  from     ${site}`,
  `  get      ${get}`,
  `  licence  ${licence}`,
  ...layout.map((line, index) => `  ${index === 0 ? 'layout ' : '       '}  ${line}`),
  `  sources  ${yaml}`,
];

/** The guides as lines for a terminal. */
export const describeGuides = (): string =>
  [
    'Datasets are yours to get; none is downloaded. An entry of `dataset.sources` in the experiment names one,',
    'with its path relative to the YAML file. All kinds and options: docs/datasets.md',
    ...datasetGuides.flatMap(guide => ['', ...linesOf(guide)]),
  ].join('\n');
