export { type Difference, describeDifference, differences } from './diff.ts';
export { DecisionJournal, lastSteps, readEvents } from './events.ts';
export * from './files.ts';
export { Fingerprints, hashFile } from './fingerprints.ts';
export { type SizedEntry, surveyStore } from './garbage.ts';
export { codeDigest, collectProvenance, type Provenance, projectFolder } from './provenance.ts';
export { chooseRun, latestRun, listRuns, type Resolved, RunFolder, type Status } from './run-folder.ts';
export { folderSize, StageRecord, type StageState, Store, type StoreEntry } from './store.ts';
export { type FoundSweep, findTrial, listSweeps, SweepFolder } from './sweep-folder.ts';
