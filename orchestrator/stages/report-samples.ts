import type { Rejected, Sample } from '../contracts/assembled.ts';
import type { EvaluateResult } from '../contracts/results.ts';
import type { OpenSet } from '../dataset/open-set.ts';
import type { ReportData, ShownSample } from '../report/data.ts';
import { maxThumbnails } from '../report/sections/appendix.ts';
import { maxPairs } from '../report/sections/results.ts';

const sliceLength = 1024;

/** The first training samples, in the order of their ids. */
const firstOfTraining = async (set: OpenSet, amount: number): Promise<Sample[]> => {
  const found: Sample[] = [];
  for (let start = 0; start < set.num_samples && found.length < amount; start += sliceLength)
    found.push(...(await set.samples(start, start + sliceLength)).filter(({ split }) => split === 'train'));
  return found.slice(0, amount);
};

const withPictures = async (set: OpenSet, sample: Sample): Promise<ShownSample> => ({
  ...sample,
  png: { image: await set.readStored(sample.image), control: await set.readStored(sample.control) },
});

const mostOfACode = 20;

const firstRejected = async (set: OpenSet): Promise<Rejected[]> => {
  const counts = new Map<string, number>();
  const found: Rejected[] = [];
  for await (const rejected of set.rejected()) {
    const before = counts.get(rejected.code) ?? 0;
    counts.set(rejected.code, before + 1);
    if (before < mostOfACode) found.push(rejected);
  }
  return found;
};

/** Of an assembled set what the report shows, and no more of it, however large it is. Raises `corrupt_file`. */
export const readAssembled = async (
  set: OpenSet,
  { pairs }: EvaluateResult,
): Promise<Pick<ReportData, 'manifest' | 'samples' | 'rejected'>> => {
  const asked = await set.sampleById(pairs.slice(0, maxPairs).map(({ b }) => b));
  for (const sample of await firstOfTraining(set, maxThumbnails)) asked.set(sample.id, sample);
  const samples: ShownSample[] = [];
  for (const sample of asked.values()) samples.push(await withPictures(set, sample));
  return { manifest: set.manifest, samples, rejected: await firstRejected(set) };
};
