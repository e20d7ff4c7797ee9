/** A zod issue → diagnostics at the places where the values stand. */
import type { z } from 'zod';
import { sweepKeys } from '../contracts/sweep.ts';
import { type Diagnostic, diagnosticAt, type Problem } from './diagnostics.ts';
import { numberHint } from './numbers.ts';
import { keysAt } from './schema-keys.ts';
import type { Place } from './source-text.ts';
import { didYouMean } from './suggest.ts';
import { dotted, findNearest, type LocatedMap, placeOf, toValue } from './tree.ts';

type Issue = z.core.$ZodIssue;

export interface IssueContext {
  readonly schema: z.core.$ZodType;
  readonly tree: LocatedMap;
  /** the plain value of `tree` */
  readonly value: unknown;
}

const nounOf: Record<string, string> = {
  object: 'a mapping',
  array: 'a list',
  tuple: 'a list',
  string: 'a text',
  number: 'a number',
  int: 'an integer',
  boolean: 'true or false',
  null: 'empty',
};

const typeOf = (value: unknown): string => {
  if (value === null) return 'empty';
  const type = Array.isArray(value) ? 'array' : typeof value;
  return nounOf[type === 'boolean' ? '' : type] ?? `\`${String(value)}\``;
};

const named = (path: readonly PropertyKey[]): string => (path.length === 0 ? 'the experiment' : `\`${dotted(path)}\``);

const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (inner, step) => (typeof inner === 'object' && inner ? Reflect.get(inner, step) : undefined),
    value,
  );

const quoted = (value: unknown): string => (typeof value === 'string' ? `\`${value}\`` : String(value));

const isMissing = (value: unknown) => value === undefined;
const isNotFinite = (value: unknown) => typeof value === 'number' && !Number.isFinite(value);

const missing = (path: readonly PropertyKey[], hint?: string): Problem => ({
  code: 'missing_key',
  message: `${named(path.slice(0, -1))} needs the key \`${String(path.at(-1))}\``,
  path: dotted(path),
  hint,
});

const notFinite = (path: readonly PropertyKey[], value: unknown): Problem => ({
  code: 'not_a_number',
  message: `${named(path)} is ${String(value)}; a finite number is needed`,
  path: dotted(path),
});

const typeHint = (expected: string, value: unknown): string | undefined => {
  if ((expected === 'number' || expected === 'int') && typeof value === 'string') return numberHint(value);
  if (expected === 'string' && typeof value !== 'object') return `put it in quotes: "${String(value)}"`;
  return value === null ? 'give it a value, or leave the key out for its default' : undefined;
};

const wrongType = ({ path, expected }: Issue & { code: 'invalid_type' }, value: unknown): Problem => {
  if (isMissing(value)) return missing(path);
  if (isNotFinite(value)) return notFinite(path, value);
  const found = typeof value === 'number' ? String(value) : typeOf(value);
  return {
    code: 'wrong_type',
    message: `${named(path)} must be ${nounOf[expected] ?? expected}, not ${found}`,
    path: dotted(path),
    hint: typeHint(expected, value),
  };
};

const outOfRange = (path: readonly PropertyKey[], value: unknown, must: string): Problem => ({
  code: 'out_of_range',
  message: `${named(path)} ${typeof value === 'object' ? '' : `is ${quoted(value)}: it `}must ${must}`,
  path: dotted(path),
});

const unknownValue = (path: readonly PropertyKey[], value: unknown, allowed: readonly string[]): Problem =>
  isMissing(value)
    ? missing(path, `one of: ${allowed.join(', ')}`)
    : {
        code: 'unknown_value',
        message: `${named(path)} cannot be ${typeof value === 'object' ? typeOf(value) : `\`${String(value)}\``}`,
        path: dotted(path),
        hint: didYouMean(String(value), allowed, 'it can be'),
      };

/** A choice between a list and a mapping, as an axis of a sweep. */
const neitherType = (path: readonly PropertyKey[], value: unknown, issues: readonly Issue[]): Problem => {
  const nouns = issues.flatMap(issue =>
    issue.code === 'invalid_type' ? [nounOf[issue.expected] ?? issue.expected] : [],
  );
  const found = typeof value === 'number' ? String(value) : typeOf(value);
  return {
    code: 'wrong_type',
    message: `${named(path)} must be ${nouns.join(' or ')}, not ${found}`,
    path: dotted(path),
  };
};

/** A choice between texts and a number, as `method.q`: what kind of value was given decides what is said. */
const noBranch = ({ path, errors }: Issue & { code: 'invalid_union' }, value: unknown): Problem => {
  const issues = errors.flat();
  const allowed = issues.flatMap(issue => (issue.code === 'invalid_value' ? issue.values.map(String) : []));
  const number = issues.some(issue => issue.code === 'invalid_type' && issue.expected === 'number');
  const hint = number && typeof value === 'string' ? numberHint(value) : undefined;
  if (isNotFinite(value)) return notFinite(path, value);
  if (allowed.length === 0 && !number) return neitherType(path, value, issues);
  if (hint === undefined) return unknownValue(path, value, number ? [...allowed, 'a number'] : allowed);
  return { code: 'wrong_type', message: `${named(path)} must be a number, not a text`, path: dotted(path), hint };
};

const union = (issue: Issue & { code: 'invalid_union' }, value: unknown): Problem => {
  const { options } = issue as { options?: readonly unknown[] };
  return options ? unknownValue(issue.path, value, options.map(String)) : noBranch(issue, value);
};

const bound = (word: string, inclusive: boolean | undefined, limit: number | bigint) =>
  `be ${inclusive ? `at ${word} ${limit}` : `${word === 'least' ? 'greater' : 'less'} than ${limit}`}`;

const size = (origin: string, word: string, limit: number | bigint) =>
  `have at ${word} ${limit} ${origin === 'string' ? 'letters' : 'items'}`;

const isSized = (origin: string) => origin === 'string' || origin === 'array';

const problemOf = (issue: Issue, value: unknown): Problem => {
  const { path } = issue;
  switch (issue.code) {
    case 'invalid_type':
      return wrongType(issue, value);
    case 'invalid_value':
      return unknownValue(path, value, issue.values.map(String));
    case 'invalid_union':
      return union(issue, value);
    case 'too_small': {
      const { origin, minimum, inclusive } = issue;
      return outOfRange(
        path,
        value,
        isSized(origin) ? size(origin, 'least', minimum) : bound('least', inclusive, minimum),
      );
    }
    case 'too_big': {
      const { origin, maximum, inclusive } = issue;
      return outOfRange(
        path,
        value,
        isSized(origin) ? size(origin, 'most', maximum) : bound('most', inclusive, maximum),
      );
    }
    case 'not_multiple_of':
      return outOfRange(path, value, `be a multiple of ${issue.divisor}`);
    case 'invalid_format':
      return outOfRange(path, value, `be made of ${issue.message}`);
    default:
      return { code: 'wrong_type', message: `${named(path)}: ${issue.message}`, path: dotted(path) };
  }
};

/** Unknown and missing keys are marked at a key, wrong values at the value. */
const placeFor = ({ code }: Problem, tree: LocatedMap, path: readonly PropertyKey[]): Place => {
  const found = findNearest(tree, code === 'missing_key' ? path.slice(0, -1) : path);
  return code === 'unknown_key' || code === 'missing_key' ? placeOf(found) : found.node.place;
};

/** Keys of an experiment file that are gone before the experiment is looked at. */
const keysOfFile = ['include', ...sweepKeys];

const unknownKey = (key: string, path: readonly PropertyKey[], context: IssueContext): Diagnostic => {
  const keys = [...keysAt(context.schema, context.value, path), ...(path.length === 0 ? keysOfFile : [])];
  const problem: Problem = {
    code: 'unknown_key',
    message: `${named(path)} has no key \`${key}\``,
    path: dotted([...path, key]),
    hint: didYouMean(key, keys, 'its keys'),
  };
  return diagnosticAt(placeFor(problem, context.tree, [...path, key]), problem);
};

/** Of a choice the option whose shape the value has: its own faults say more than that no option fits. */
const optionOf = (issue: Issue): readonly Issue[] | undefined =>
  issue.code !== 'invalid_union'
    ? undefined
    : issue.errors.find(
        faults =>
          faults.length > 0 && faults.every(({ path, code }) => path.length > 0 || code === 'unrecognized_keys'),
      );

/** One diagnostic for an issue, or one for each unknown key, or for each fault of the option that was meant. */
export const fromIssue = (issue: Issue, context: IssueContext): Diagnostic[] => {
  const { path } = issue;
  const option = optionOf(issue);
  if (option !== undefined)
    return option.flatMap(fault => fromIssue({ ...fault, path: [...path, ...fault.path] }, context));
  if (issue.code === 'unrecognized_keys') return issue.keys.map(key => unknownKey(key, path, context));
  const problem = problemOf(issue, valueAt(context.value, path));
  return [diagnosticAt(placeFor(problem, context.tree, path), problem)];
};

export const issueContext = (schema: z.core.$ZodType, tree: LocatedMap): IssueContext => ({
  schema,
  tree,
  value: toValue(tree),
});
