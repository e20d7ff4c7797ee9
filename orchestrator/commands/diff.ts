import { describeDifference, differences, type RunFolder } from '../runs/index.ts';
import { exitCodes } from './exit-codes.ts';
import { findRun } from './find-run.ts';
import { mainNumbers, numbersTable } from './main-numbers.ts';
import { compareResults, describeEquality } from './run-equality.ts';
import { compareStages, compareSurroundings, recordedStages, recordedSurroundings, sharedStages } from './run-facts.ts';

const nameOf = (run: RunFolder): string => `${run.name}/${run.id}`;

const comparePlans = async (before: RunFolder, after: RunFolder) => {
  const [mine, theirs] = [(await recordedStages(before)) ?? [], (await recordedStages(after)) ?? []];
  return { differences: compareStages(mine, theirs, { withSpecs: false }), shared: sharedStages(mine, theirs) };
};

/** All that two runs differ in. */
const compareRuns = async (before: RunFolder, after: RunFolder) => ({
  experiment: differences((await before.resolved())?.experiment, (await after.resolved())?.experiment),
  surroundings: compareSurroundings(await recordedSurroundings(before), await recordedSurroundings(after)),
  stages: await comparePlans(before, after),
  equality: await compareResults(before, after),
  numbers: { before: (await mainNumbers(before)) ?? null, after: (await mainNumbers(after)) ?? null },
});
type Compared = Awaited<ReturnType<typeof compareRuns>>;

const section = (title: string, lines: readonly string[]): string =>
  [title, ...(lines.length === 0 ? ['no difference'] : lines).map(line => `  ${line}`)].join('\n');

const unknownLine = (unknown: readonly string[]): string[] =>
  unknown.length === 0 ? [] : [`not recorded by both: ${unknown.join(', ')}`];

const numbersText = ({ numbers: { before, after } }: Compared, names: readonly [string, string]): string => {
  if (before !== null && after !== null) return numbersTable(names, before, after);
  return `no numbers to compare: ${[...(before === null ? [names[0]] : []), ...(after === null ? [names[1]] : [])].join(' and ')} not finished`;
};

const textOf = (compared: Compared, names: readonly [string, string]): string => {
  const { experiment, surroundings, stages, equality } = compared;
  const shared = stages.shared.length === 0 ? [] : [`the same result: ${stages.shared.join(', ')}`];
  return [
    `${names[0]} -> ${names[1]}`,
    section('experiment', experiment.map(describeDifference)),
    section('code, versions, machine', [
      ...surroundings.differences.map(describeDifference),
      ...unknownLine(surroundings.unknown),
    ]),
    section('stages', [...stages.differences.map(describeDifference), ...shared]),
    numbersText(compared, names),
    ...(equality.length === 0 ? [] : [equality.map(describeEquality).join('\n')]),
  ].join('\n\n');
};

/**
 * `posetwin diff A B`: what two runs or trials differ in: experiment, code, versions and machine, versions of stages and
 * fingerprints of what they read, main numbers. Answers 0; raises `usage` where there is no such run.
 */
export const showDiff = async (a: string, b: string, { json }: { json: boolean }): Promise<number> => {
  const [before, after] = [await findRun(a), await findRun(b)];
  const compared = await compareRuns(before, after);
  const names = [nameOf(before), nameOf(after)] as const;
  console.log(
    json ? JSON.stringify({ before: names[0], after: names[1], ...compared }, null, 2) : textOf(compared, names),
  );
  return exitCodes.done;
};
