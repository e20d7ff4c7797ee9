import { readFile } from 'node:fs/promises';
import { text as readStream } from 'node:stream/consumers';
import { fileText, lineAndColumn } from '../config/source-text.ts';
import { PosetwinError } from '../errors.ts';
import { type LossName, lossSpecs } from '../losses/index.ts';

export type LossInputs = Readonly<Record<string, unknown>>;

const readText = async (given: string): Promise<string> => {
  if (given === '-') return readStream(process.stdin);
  try {
    return await readFile(given, 'utf8');
  } catch (cause) {
    const hint = 'name a JSON file, or - for standard input';
    throw new PosetwinError('missing_file', `${given} cannot be read`, { cause, hint });
  }
};

/** Where JSON.parse gave up, if it says so. */
const placeOf = (file: string, text: string, message: string): { line?: number; column?: number } => {
  const offset = /at position (\d+)/.exec(message)?.[1];
  if (offset === undefined) return {};
  const { line, column } = lineAndColumn({ source: fileText(file, text), offset: Number(offset) });
  return { line, column };
};

const parse = (file: string, text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    const hint = 'JSON has neither NaN nor Infinity; null stands for an infinite number where a term takes one';
    throw new PosetwinError('wrong_type', `not JSON: ${message}`, {
      file,
      ...placeOf(file, text, message),
      cause,
      hint,
    });
  }
};

/** `loss --list` in a sentence. */
export const hintFor = (term: LossName): string =>
  `its inputs: ${Object.keys(lossSpecs[term].symbols).join(', ')}; loss --list ${term} tells their shapes`;

/** More dimensions than any tensor here has; deeper nesting would exhaust the stack of whoever follows it. */
const most = 8;

const shapeOf = (value: unknown): number[] => {
  const shape: number[] = [];
  for (let inner = value; Array.isArray(inner) && shape.length < most; inner = inner[0]) shape.push(inner.length);
  return shape;
};

const hasShape = (value: unknown, [length, ...inner]: readonly number[]): boolean =>
  length === undefined
    ? !Array.isArray(value)
    : Array.isArray(value) && value.length === length && value.every(item => hasShape(item, inner));

/** What no schema of a term looks at: that lists make a tensor. */
const checkInput = (term: LossName, file: string, [name, value]: [string, unknown]): void => {
  if (hasShape(value, shapeOf(value))) return;
  const message = `${term}: \`${name}\` is no tensor: its rows differ in length, or it has more than ${most} dimensions`;
  throw new PosetwinError('wrong_type', message, { file, path: name, hint: hintFor(term) });
};

/** The inputs of a term by their names. Raises `missing_file`, `wrong_type` naming the input. */
export const readInputs = async (given: string, term: LossName): Promise<LossInputs> => {
  const file = given === '-' ? 'standard input' : given;
  const inputs = parse(file, await readText(given));
  if (typeof inputs !== 'object' || inputs === null || Array.isArray(inputs)) {
    throw new PosetwinError('wrong_type', `${term} takes its inputs by their names`, { file, hint: hintFor(term) });
  }
  for (const input of Object.entries(inputs)) checkInput(term, file, input);
  return { ...inputs };
};
