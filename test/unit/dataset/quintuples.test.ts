import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Dataset } from '../../../orchestrator/contracts/dataset.ts';
import {
  type Captions,
  type Couples,
  checkClosedUnderSwap,
  numQuintuples,
  partnerOf,
  quintuple,
} from '../../../orchestrator/dataset/quintuples.ts';
import golden from '../../golden/dataset/quintuples.json' with { type: 'json' };
import { listQuintuples, person } from './sets.ts';

const Case = z.object({
  captions: z.array(z.string()),
  couples: z.array(z.tuple([z.int(), z.int()])),
  reading: Dataset.shape.captions.unwrap(),
  quintuples: z.array(z.tuple([z.int(), z.int(), z.string()])),
});
type Case = z.output<typeof Case>;

const couplesOf = ({ captions, couples }: Pick<Case, 'captions' | 'couples'>): Couples => ({
  length: couples.length,
  first: Int32Array.from(couples, ([a]) => a),
  second: Int32Array.from(couples, ([, b]) => b),
  unlike: Int32Array.from(couples.keys()).filter(i => {
    const [a, b] = couples[i] ?? [0, 0];
    return captions[a] !== captions[b];
  }),
});

const derived = (given: Pick<Case, 'captions' | 'couples'>, reading: Captions): Case['quintuples'] => {
  const couples = couplesOf(given);
  const total = numQuintuples(couples.length, couples.unlike.length, reading);
  return Array.from({ length: total }, (_, index) => {
    const { a, b, text } = quintuple(couples, reading, index);
    return [a, b, given.captions[text] ?? ''];
  });
};

const written = ({ captions, couples }: Pick<Case, 'captions' | 'couples'>, reading: Captions): Case['quintuples'] => {
  const set = captions.map((caption, id) => person(id, { caption }));
  const at = (id: number) => set[id] ?? person(id);
  return listQuintuples(
    couples.map(([a, b]) => [at(a), at(b)]),
    reading,
  ).map(({ a, b, prompt }) => [a, b, prompt]);
};

const given = fc.array(fc.constantFrom('a man', 'a girl', ''), { minLength: 2, maxLength: 8 }).chain(captions => {
  const all = captions.flatMap((_, b) => captions.slice(0, b).map((_, a): [number, number] => [a, b]));
  return fc.record({ captions: fc.constant(captions), couples: fc.shuffledSubarray(all) });
});
const readings = fc.constantFrom(...Dataset.shape.captions.unwrap().options);

describe('quintuples', () => {
  it.each(golden.cases.map(one => Case.parse(one)))('of case %# of both languages stand as written down', one => {
    expect(derived(one, one.reading)).toEqual(one.quintuples);
    expect(written(one, one.reading)).toEqual(one.quintuples);
  });

  it('are those that the definition lists, in its order', () => {
    fc.assert(
      fc.property(given, readings, (set, reading) => {
        expect(derived(set, reading)).toEqual(written(set, reading));
      }),
    );
  });

  it('are closed under swap (Eq. 8, 39): with (A, B, y_A) also (B, A, y_B), at the index that partnerOf tells', () => {
    fc.assert(
      fc.property(given, readings, (set, reading) => {
        const listed = derived(set, reading);
        for (const [index, [a, b, prompt]] of listed.entries()) {
          const other = prompt === set.captions[a] ? set.captions[b] : set.captions[a];
          expect(listed[partnerOf(couplesOf(set), index)]).toEqual([b, a, other]);
        }
        expect(() => checkClosedUnderSwap(couplesOf(set), reading)).not.toThrow();
        expect(new Set(listed.map(one => one.join('|'))).size).toBe(listed.length);
      }),
    );
  });

  it('are refused with set_not_closed where a picture is paired with itself', () => {
    const alone = couplesOf({ captions: ['a man', 'a girl'], couples: [[1, 1]] });
    expect(() => checkClosedUnderSwap(alone, 'both')).toThrowError(expect.objectContaining({ code: 'set_not_closed' }));
  });

  it('are refused with set_not_closed where one has no partner', () => {
    const couples = couplesOf({ captions: ['a man', 'a girl'], couples: [[0, 1]] });
    const torn = { ...couples, second: couples.second.map(() => Number.NaN) };
    expect(() => checkClosedUnderSwap({ ...torn, length: 2 }, 'both')).toThrowError(
      expect.objectContaining({ code: 'set_not_closed' }),
    );
  });
});
