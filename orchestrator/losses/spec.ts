import type { z } from 'zod';
import { PosetwinError } from '../errors.ts';

/** One loss term as TypeScript knows it: what it means, what it takes, and its value in float64. */
export interface LossSpec {
  name: string;
  /** of patent application CN 117392675 A, or what else it comes from */
  equation: string;
  formula: string;
  /** input → its symbol, shape and range */
  symbols: Readonly<Record<string, string>>;
  /** named readings, the default first; empty where there is only one */
  readings: readonly string[];
  inputs: z.ZodType;
  /** What the term gives, flattened in row-major order. Throws as `evaluate`. */
  values(inputs: unknown): number[];
  /**
   * The mean of `values`: for terms with one value per sample the expectation over the batch. Throws `wrong_type`
   * or `out_of_range` naming the input, `not_a_number` where the result is not finite, `singular_schedule`, `no_visible_keypoint`, ….
   */
  evaluate(inputs: unknown): number;
}

interface Definition<S extends z.ZodType> {
  name: string;
  equation: string;
  formula: string;
  symbols: Readonly<Record<keyof z.output<S> & string, string>>;
  readings?: readonly string[];
  inputs: S;
  values: (inputs: z.output<S>) => number[];
}

const isAboutRange = (issue: z.core.$ZodIssue): boolean =>
  (issue.code === 'too_small' || issue.code === 'too_big') && issue.origin !== 'array';

/** Of a choice between a number and a list, the complaint of the branch that was meant: the one about a range. */
const deepest = (issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue | undefined => {
  const [issue] = issues;
  if (issue?.code !== 'invalid_union') return issue;
  const inner = issue.errors.flat();
  const meant = inner.find(isAboutRange) ?? inner[0];
  return meant && { ...meant, path: [...issue.path, ...meant.path] };
};

const parse = <S extends z.ZodType>(name: string, schema: S, inputs: unknown): z.output<S> => {
  const result = schema.safeParse(inputs);
  if (result.success) return result.data;
  const issue = deepest(result.error.issues);
  const code = issue !== undefined && isAboutRange(issue) ? 'out_of_range' : 'wrong_type';
  throw new PosetwinError(code, `${name}: ${issue?.message ?? 'the inputs do not fit'}`, {
    path: issue?.path.join('.') ?? '',
    hint: 'see the inputs that `symbols` lists',
  });
};

const checkFinite = (name: string, values: number[]): number[] => {
  if (values.length > 0 && values.every(value => Number.isFinite(value))) return values;
  throw new PosetwinError('not_a_number', `${name} is not finite for these inputs`, {
    hint: 'look for alphas_cumprod at 0 or 1, or numbers beyond float64',
  });
};

/** Joins a term's definition to the parsing of its JSON inputs. */
export const defineLoss = <S extends z.ZodType>(definition: Definition<S>): LossSpec => {
  const { name, inputs: schema } = definition;
  const values = (inputs: unknown) => checkFinite(name, definition.values(parse(name, schema, inputs)));
  return {
    ...definition,
    readings: definition.readings ?? [],
    values,
    evaluate(inputs) {
      const found = values(inputs);
      return found.reduce((sum, value) => sum + value, 0) / found.length;
    },
  };
};
