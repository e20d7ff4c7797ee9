/** YAML → Experiment: includes, groups, overrides, paths; every error at once, each at its line and column. */
import { dirname, resolve } from 'node:path';
import { Experiment } from '../contracts/experiment.ts';
import { sweepKeys } from '../contracts/sweep.ts';
import { composeFile } from './compose.ts';
import { type Diagnostic, diagnosticAt, type Problem, sortDiagnostics } from './diagnostics.ts';
import type { GroupContext } from './groups.ts';
import { fromIssue, issueContext } from './issues.ts';
import { type Origins, originsOf } from './origins.ts';
import { applyOverrides, type Override, readFlags } from './overrides.ts';
import { aroundPart, defaultAround, type Part } from './part.ts';
import { resolvePaths } from './paths.ts';
import { type Refusal, refusals } from './semantics.ts';
import { findAt, findNearest, type LocatedMap, placeOf, toValue, withoutEntry } from './tree.ts';

export interface LoadOptions {
  /** `path=value`, as given to `--set`; later ones win */
  set: readonly string[];
}

export interface LoadedExperiment {
  ok: true;
  experiment: Experiment;
  origins: Origins;
  /** every file that was read, the experiment first */
  files: string[];
  /** what `diagnose` needs to find a path's line and column */
  tree: LocatedMap;
}

export type LoadResult = LoadedExperiment | { ok: false; diagnostics: Diagnostic[] };

const locate = (tree: LocatedMap, path: string): ReturnType<typeof placeOf> => {
  const found = findNearest(tree, path === '' ? [] : path.split('.'));
  return found.node.type === 'scalar' ? found.node.place : placeOf(found);
};

/**
 * A problem that a later room found, at the line and column of `path`.
 * A path that was left to its default is marked at the nearest thing around it that was written.
 */
export const diagnose = ({ tree }: Pick<LoadedExperiment, 'tree'>, problem: Problem): Diagnostic =>
  diagnosticAt(locate(tree, problem.path), problem);

/** Of the values at odds, the one to mark: given as a flag, or in the experiment itself, or in what it includes. */
const culprit = (tree: LocatedMap, paths: readonly string[], file: string): string => {
  const rank = (path: string) => {
    const found = findAt(tree, path.split('.'));
    const source = found && placeOf(found).source;
    return source === undefined ? 3 : source.kind === 'flag' ? 0 : source.name === file ? 1 : 2;
  };
  const [first = ''] = [...paths].sort((a, b) => rank(a) - rank(b));
  return first;
};

/** A refusal at the line and column of the likelier culprit; `file` is what was asked for. */
export const fromRefusal = (tree: LocatedMap, { paths, message, hint }: Refusal, file: string): Diagnostic =>
  diagnose({ tree }, { code: 'refused_combination', message, path: culprit(tree, paths, file), hint });

const sectionsOf = (diagnostics: readonly Diagnostic[]) =>
  new Set(diagnostics.map(({ path }) => path.split('.', 1)[0] ?? ''));

/** The sections that are whole, with defaults for the others, so that rules about whole ones can still be checked. */
const wholeSections = (tree: LocatedMap, broken: ReadonlySet<string>) => {
  const entries = Object.entries(Object(toValue(tree))).filter(([section]) => !broken.has(section));
  return Experiment.safeParse({ name: 'unnamed', ...Object.fromEntries(entries) });
};

const checkCombinations = (tree: LocatedMap, diagnostics: readonly Diagnostic[], file: string): Diagnostic[] => {
  const broken = sectionsOf(diagnostics);
  const { data } = wholeSections(tree, broken);
  return data ? refusals(data, broken).map(refusal => fromRefusal(tree, refusal, file)) : [];
};

/** While a part could not be read, nobody knows which keys are really missing. */
const isIncomplete = (diagnostics: readonly Diagnostic[]) =>
  diagnostics.some(({ path }) => path === '' || path.startsWith('include'));

const spot = ({ file, line, column }: Diagnostic) => `${file}:${line}:${column}`;

const checkSchema = (tree: LocatedMap, soFar: readonly Diagnostic[]): Diagnostic[] => {
  const context = issueContext(Experiment, tree);
  const { error } = Experiment.safeParse(context.value);
  const found = (error?.issues ?? []).flatMap(issue => fromIssue(issue, context));
  const known = new Set(soFar.map(spot));
  const incomplete = isIncomplete(soFar);
  return found.filter(diagnostic => !known.has(spot(diagnostic)) && !(incomplete && diagnostic.code === 'missing_key'));
};

const finish = (tree: LocatedMap, files: string[]): LoadedExperiment => {
  const experiment = Experiment.parse(toValue(tree));
  return { ok: true, experiment, origins: originsOf(experiment, tree), files, tree };
};

export const contextIn = (folder: string): GroupContext => ({ diagnostics: [], files: new Set(), folder });

/**
 * What was composed, with `overrides` put into it, or everything that is wrong with it; `path` is what was asked for.
 * `sweep` and `slurm` are no part of an experiment: with or without them, a file stands for the same one.
 */
export const complete = (
  composed: LocatedMap | undefined,
  path: string,
  overrides: readonly Override[],
  context: GroupContext,
): LoadResult => {
  const { diagnostics } = context;
  if (!composed) return { ok: false, diagnostics: sortDiagnostics(diagnostics, path) };
  const changed = sweepKeys.reduce(withoutEntry, applyOverrides(composed, overrides, context));
  const tree = resolvePaths(changed, diagnostics);
  diagnostics.push(...checkSchema(tree, diagnostics));
  diagnostics.push(...checkCombinations(tree, diagnostics, path));
  if (diagnostics.length > 0) return { ok: false, diagnostics: sortDiagnostics(diagnostics, path) };
  return finish(tree, [...context.files]);
};

/** The experiment of `file` with `options.set` applied, or everything that is wrong with it. Never throws for either. */
export const loadExperiment = (file: string, { set }: LoadOptions): LoadResult => {
  const path = resolve(file);
  const context = contextIn(dirname(path));
  return complete(composeFile(path, [], context), path, readFlags(set, '--set', context.diagnostics), context);
};

/**
 * The same where one part is all that matters: `file` may be an experiment, or hold that part alone (a mapping with
 * `kind`, as the files in configs/ do), or be left out for the default experiment.
 */
export const loadPart = (part: Part, file: string | undefined, { set }: LoadOptions): LoadResult => {
  const path = file === undefined ? '' : resolve(file);
  const context = contextIn(file === undefined ? process.cwd() : dirname(path));
  const composed = file === undefined ? defaultAround(part) : composeFile(path, [], context);
  const overrides = readFlags(set, '--set', context.diagnostics);
  return complete(composed && aroundPart(part, composed), path, overrides, context);
};
