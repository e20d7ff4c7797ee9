import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type LossName, lossSpecs } from '../../../orchestrator/losses/index.ts';
import { probeInputs } from '../../../orchestrator/losses/probe.ts';

interface GoldenCase {
  inputs: Record<string, unknown>;
  values: number[];
}

const names = Object.keys(lossSpecs) as LossName[];
const casesOf = (name: string): GoldenCase[] =>
  JSON.parse(readFileSync(`test/golden/losses/${name}.json`, 'utf8')).cases;

const expectClose = (actual: number, expected: number): void =>
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-12 * Math.abs(expected) + 1e-14);

describe('loss terms against decimals computed by hand', () => {
  it.each(names)('%s agrees to 1e-12 under every reading', name => {
    for (const { inputs, values } of casesOf(name)) {
      const found = lossSpecs[name].values(inputs);
      expect(found).toHaveLength(values.length);
      for (const [index, value] of values.entries()) expectClose(found[index] ?? Number.NaN, value);
      expectClose(lossSpecs[name].evaluate(inputs), values.reduce((sum, value) => sum + value, 0) / values.length);
    }
  });

  it.each(names)('%s has a golden case for each of its readings', name => {
    const covered = new Set(casesOf(name).map(({ inputs }) => inputs.reading));
    for (const reading of lossSpecs[name].readings) expect(covered).toContain(reading);
  });

  it.each(names)('%s names the symbol of every input and takes its probe', name => {
    const { symbols } = lossSpecs[name];
    for (const { inputs } of casesOf(name)) expect(Object.keys(inputs).sort()).toEqual(Object.keys(symbols).sort());
    expect(Number.isFinite(lossSpecs[name].evaluate(probeInputs[name]))).toBe(true);
  });
});
