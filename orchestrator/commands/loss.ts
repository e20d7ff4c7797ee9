import { didYouMean } from '../config/suggest.ts';
import { PosetwinError, toPosetwinError } from '../errors.ts';
import { isLossName, type LossName, lossSpecs } from '../losses/index.ts';
import type { Services } from '../stages/services.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { type AskPython, type Comparison, compareTerm } from './loss-compare.ts';
import { readInputs } from './loss-inputs.ts';
import { comparisonLines, describeTerm, termLines } from './loss-text.ts';
import { withServices } from './with-services.ts';

export interface LossOptions {
  /** a JSON file, or - for standard input */
  inputs?: string;
  list: boolean;
  json: boolean;
}

const names = Object.keys(lossSpecs);

/** Raises `unknown_value`. */
const termCalled = (name: string): LossName => {
  if (isLossName(name)) return name;
  throw new PosetwinError('unknown_value', `there is no loss term '${name}'`, {
    hint: didYouMean(name, names, 'there are'),
  });
};

const list = (term: string | undefined, json: boolean): number => {
  const specs = term === undefined ? Object.values(lossSpecs) : [lossSpecs[termCalled(term)]];
  if (json) console.log(JSON.stringify({ terms: specs.map(describeTerm) }, null, 2));
  else console.log(specs.map(spec => termLines(spec).join('\n')).join('\n\n'));
  return exitCodes.done;
};

/** Python's side of a comparison; Python is started by the first question. */
export const askOver =
  (services: Services): AskPython =>
  async question =>
    (await services.bridge()).call('evaluate_loss_term', question);

const compare = async (term: string | undefined, { inputs: given }: LossOptions): Promise<Comparison> => {
  if (term === undefined) {
    throw new PosetwinError('usage', 'which loss term?', { hint: 'loss --list shows them all' });
  }
  const name = termCalled(term);
  if (given === undefined) {
    throw new PosetwinError('usage', `${name} needs numbers`, { hint: `--inputs file.json; loss --list ${name}` });
  }
  const inputs = await readInputs(given, name);
  return withServices(services => compareTerm(name, inputs, askOver(services)));
};

const mismatch = ({ term, typescript, python }: Comparison): PosetwinError =>
  new PosetwinError('loss_mismatch', `${term} is ${typescript.value} in TypeScript and ${python.value} in Python`, {
    hint: `if the inputs have the shapes that loss --list ${term} tells, one of the two losses rooms is wrong: report it`,
  });

/** Prints both values and answers 0 when they agree; else `loss_mismatch`, raised or, as JSON, in the answer and 3. */
export const judge = (found: Comparison, json: boolean): number => {
  const code = found.agree ? null : 'loss_mismatch';
  console.log(json ? JSON.stringify({ ...found, code }, null, 2) : comparisonLines(found).join('\n'));
  if (found.agree) return exitCodes.done;
  if (json) return exitCodeOf(mismatch(found));
  throw mismatch(found);
};

const failed = (error: PosetwinError): number => {
  const { code, class: of, message, details } = error;
  const { cause, ...told } = details;
  console.log(JSON.stringify({ error: { code, class: of, message, ...told } }, null, 2));
  return exitCodeOf(error);
};

/**
 * `posetwin loss <term> --inputs x.json`: the term in TypeScript and in Python on the same numbers; `--list`: all terms.
 * Answers 0 when both agree; with `json` an error is one JSON object, else it is raised: `loss_mismatch`,
 * `unknown_value`, `missing_file`, `wrong_type`, the codes of the term and those of the bridge.
 */
export const loss = async (term: string | undefined, options: LossOptions): Promise<number> => {
  try {
    if (options.list) return list(term, options.json);
    return judge(await compare(term, options), options.json);
  } catch (cause) {
    if (options.json) return failed(toPosetwinError(cause));
    throw cause;
  }
};
