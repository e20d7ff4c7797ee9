import { describe, expect, it } from 'vitest';
import { meantNumber } from '../../../orchestrator/config/numbers.ts';
import { closest, editDistance } from '../../../orchestrator/config/suggest.ts';

describe('editDistance', () => {
  // Damerau's and Levenshtein's textbook examples.
  it.each([
    ['kitten', 'sitting', 3],
    ['saturday', 'sunday', 3],
    ['ca', 'ac', 1],
    ['', 'abc', 3],
    ['Same', 'same', 0],
  ])('of %j and %j is %d', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });
});

describe('closest', () => {
  const keys = ['learning_rate', 'lr_scheduler', 'max_train_steps'];
  it.each([
    ['learning_rte', 'learning_rate'],
    ['Learning-Rate', 'learning_rate'],
    ['max_train', 'max_train_steps'],
    ['dropout', undefined],
    ['x', undefined],
  ])('to %j is %j', (word, meant) => {
    expect(closest(word, keys)).toBe(meant);
  });
});

describe('meantNumber', () => {
  it.each([
    ['1e-4s', 0.0001],
    ['10 %', 0.1],
    ['0.04%', 0.0004],
    ['1_000', 1000],
    ['1,000', 1000],
    ['.5', 0.5],
    ['3k', 3000],
    ['5 minutes', 5],
    ['fast', undefined],
    ['1.2.3', undefined],
  ])('of %j is %j', (text, number) => {
    expect(meantNumber(text)).toBe(number);
  });
});
