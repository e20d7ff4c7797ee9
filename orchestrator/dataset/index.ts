export { chooseItems, type Facts } from './items.ts';
export { makeManifest, type Provenance } from './manifest.ts';
export { type NamedPose, posesOf } from './mini-source.ts';
export { type Pairing, writePairs } from './pairs.ts';
export { openTable, type Table } from './parquet.ts';
export { isPhotoOrCaption } from './photo-files.ts';
export type { PosesSource } from './poses-source.ts';
export { readSamples, type Samples } from './samples.ts';
