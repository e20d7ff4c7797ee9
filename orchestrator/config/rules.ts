/** How a rule about values that are fine alone and make no sense together is written down. */
import { Experiment } from '../contracts/experiment.ts';

export interface Refusal {
  /** the values at odds, the likelier culprit first */
  paths: readonly string[];
  message: string;
  hint: string;
}

export interface Rule {
  /** sections that it looks at: it is left out when one of them has another error */
  reads: readonly (keyof Experiment)[];
  /** undefined when all is well */
  check: (experiment: Experiment) => Refusal | undefined;
}

export const refuseIf = (
  wrong: boolean,
  paths: readonly string[],
  message: string,
  hint: string,
): Refusal | undefined => (wrong ? { paths, message, hint } : undefined);

/** What every value is when a file says nothing; its name alone is not optional. */
export const usual = Experiment.parse({ name: 'defaults' });

/** A value that would have no effect is refused when it is not the default: its writer expects it to do something. */
export const idle = <T>(path: string, value: T, byDefault: T, needed: string): Refusal | undefined =>
  refuseIf(
    JSON.stringify(value) !== JSON.stringify(byDefault),
    [path],
    `\`${path}\` has no effect here`,
    `it needs \`${needed}\`; or leave it out`,
  );
