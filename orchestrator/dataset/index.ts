export { isPhotoOrCaption } from './folder-source.ts';
export { chooseItems, type Facts } from './items.ts';
export { makeManifest } from './manifest.ts';
export { type NamedPose, posesOf } from './mini-source.ts';
export { checkClosedUnderSwap, choosePairs } from './pairs.ts';
export type { PosesSource } from './poses-source.ts';
