import { type LossSpec, lossSpecs } from '../losses/index.ts';
import type { Comparison } from './loss-compare.ts';
import { formatTable } from './table.ts';

/** A term as data: what it means and what it takes. */
export const describeTerm = ({ name, equation, formula, readings, symbols }: LossSpec) => ({
  name,
  equation,
  formula,
  readings,
  inputs: symbols,
});

/** The same as lines of text. */
export const termLines = ({ name, equation, formula, readings, symbols }: LossSpec): string[] => {
  const widest = Math.max(...Object.keys(symbols).map(input => input.length));
  return [
    `${name}  ${equation}`,
    `  ${formula}`,
    ...(readings.length === 0 ? [] : [`  readings: ${readings.join(', ')}`]),
    ...Object.entries(symbols).map(([input, symbol]) => `    ${input.padEnd(widest)}  ${symbol}`),
  ];
};

/** JSON has every value; people want the first ones. */
const mostShown = 12;

const valueRows = ({ typescript, python }: Comparison): string[] => {
  const { values } = typescript;
  const rows = values.slice(0, mostShown).map((value, i) => [String(i + 1), String(value), String(python.values[i])]);
  const more = values.length - rows.length;
  const table = formatTable([['value', 'TypeScript', 'Python'], ...rows]).split('\n');
  return [...table, ...(more > 0 ? [`and ${more} more: --json shows them all`] : [])].map(line => `  ${line}`);
};

/** Both values, their difference, and what they are the means of. */
export const comparisonLines = (found: Comparison): string[] => {
  const { term, typescript, python, absolute_difference, relative_difference, agree } = found;
  const { equation, formula } = lossSpecs[term];
  return [
    `${term}  ${equation}`,
    `  ${formula}`,
    `  TypeScript  ${typescript.value}`,
    `  Python      ${python.value}`,
    `  difference  ${absolute_difference}, relative ${relative_difference}: ${agree ? 'they agree' : 'they differ'}`,
    '',
    ...valueRows(found),
  ];
};
