import { PosetwinError } from '../errors.ts';
import { type LossName, lossSpecs } from '../losses/index.ts';
import { hintFor, type LossInputs } from './loss-inputs.ts';

export interface Evaluation {
  /** the mean of `values` */
  value: number;
  /** what the term gives, one for each sample where it gives one; row by row */
  values: number[];
}

/** One term on the same numbers in both languages. */
export interface Comparison {
  term: LossName;
  typescript: Evaluation;
  python: Evaluation;
  absolute_difference: number;
  /** by the larger of the two; 0 when both are 0 */
  relative_difference: number;
  agree: boolean;
}

/** A term in Python. */
export type AskPython = (question: { term: LossName; inputs: LossInputs }) => Promise<Evaluation>;

/** Both compute in float64: what differs more is a mistake in one of them. */
const tolerance = 1e-9;

/** Two values of a term: they agree when the relative difference is within 1e-9, or both are that close to 0. */
export const compareValues = (typescript: number, python: number) => {
  const absolute_difference = Math.abs(typescript - python);
  const size = Math.max(Math.abs(typescript), Math.abs(python));
  const relative_difference = size === 0 ? 0 : absolute_difference / size;
  return { absolute_difference, relative_difference, agree: relative_difference <= tolerance || size <= tolerance };
};

/** The numbers are the user's, so what a term says of them is no failure of a process: no traceback, but a remedy. */
const aboutInputs = (error: unknown, term: LossName): unknown => {
  if (!(error instanceof PosetwinError) || !['config', 'data'].includes(error.class)) return error;
  const { hint, path = '' } = error.details;
  const remedy = error.code === 'wrong_type' ? hintFor(term) : (hint ?? hintFor(term));
  // A path into an experiment leads nowhere here.
  const place = Object.hasOwn(lossSpecs[term].symbols, path.split('.', 1)[0] ?? '') ? { path } : {};
  return new PosetwinError(error.code, error.message, { ...place, hint: remedy, cause: error });
};

/**
 * Evaluates here first, so that what is wrong with the inputs is told before Python is started.
 * Raises the codes of the term and of the bridge.
 */
export const compareTerm = async (term: LossName, inputs: LossInputs, askPython: AskPython): Promise<Comparison> => {
  try {
    const spec = lossSpecs[term];
    const typescript = { value: spec.evaluate(inputs), values: spec.values(inputs) };
    const python = await askPython({ term, inputs });
    return { term, typescript, python, ...compareValues(typescript.value, python.value) };
  } catch (error) {
    throw aboutInputs(error, term);
  }
};
