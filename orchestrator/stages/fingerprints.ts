import { join } from 'node:path';
import type { Experiment } from '../contracts/experiment.ts';
import type { Detector } from '../contracts/models.ts';
import { isPictureSource, type PictureSource, type Source } from '../contracts/sources.ts';
import { isPhotoOrCaption } from '../dataset/index.ts';
import type { Fingerprints as Prints } from '../plan/plan.ts';
import { type Fingerprints, projectFolder } from '../runs/index.ts';
import type { PoseLibrary } from './poses.ts';

const weightsFolder = join(projectFolder, 'python', 'posetwin', 'mini', 'weights');
const blazeposePackage = join(projectFolder, 'node_modules', '@mediapipe', 'pose', 'package.json');

/** Where a model lies: `mini` is the one that is shipped, `mini-dots` the shipped adapter for dots. */
export const modelFolder = (path: string, shipped: string): string => {
  if (path === 'mini-dots') return join(weightsFolder, 'adapter-dots');
  return path === 'mini' ? join(weightsFolder, shipped) : path;
};

const detectorFolder = ({ kind }: Detector): string => {
  if (kind === 'blazepose') return blazeposePackage;
  return join(weightsFolder, kind === 'mini' ? 'detector' : 'judge');
};

const ofPictures = async (source: PictureSource, prints: Fingerprints): Promise<string> => {
  if (source.kind === 'folder' || source.kind === 'classes') return prints.of(source.path, isPhotoOrCaption);
  if (source.kind !== 'coco') return prints.of(source.path);
  const files = [source.path, source.annotations, ...(source.captions === null ? [] : [source.captions])];
  return (await Promise.all(files.map(file => prints.of(file)))).join(' ');
};

const ofSource = async (source: Source, prints: Fingerprints, library: PoseLibrary | undefined): Promise<string> => {
  if (isPictureSource(source)) return ofPictures(source, prints);
  const world = library?.version ?? 'unknown';
  return source.kind === 'mini' ? world : `${world} ${await prints.of(source.path)}`;
};

/** Hashes of everything that the experiment names but does not hold. Raises `missing_file`. */
export const fingerprintsOf = async (
  experiment: Experiment,
  prints: Fingerprints,
  library: PoseLibrary | undefined,
): Promise<Prints> => {
  const { backbone, adapter, detector, judge, dataset, figures } = experiment;
  const result = {
    sources: await Promise.all(dataset.sources.map(source => ofSource(source, prints, library))),
    captioner: dataset.captioner === null ? null : await prints.of(dataset.captioner.path),
    backbone: await prints.of(modelFolder(backbone.path, 'backbone')),
    adapter: await prints.of(modelFolder(adapter.path, 'adapter')),
    detector: await prints.of(detectorFolder(detector)),
    judge: await prints.of(detectorFolder(judge)),
    figure_pose: /\.(json|png|jpe?g)$/i.test(figures.pose) ? await prints.of(figures.pose) : '',
  };
  await prints.save();
  return result;
};
