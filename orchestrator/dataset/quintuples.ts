/** Quintuples (A, B, y, Z_A, Z_B) derived from couples by index arithmetic, closed under swap (Eq. 8, 39). */
import type { Dataset } from '../contracts/dataset.ts';
import { PosetwinError } from '../errors.ts';

export type Captions = Dataset['captions'];

/** A and B by the numbers that couples hold; `text`: whose caption the prompt is, A's or B's. */
export interface Quintuple {
  a: number;
  b: number;
  text: number;
}

/** Couples of one split, by columns. */
export interface Couples {
  length: number;
  first: Int32Array;
  second: Int32Array;
  /** the couples whose captions differ, by their places in rising order */
  unlike: Int32Array;
}

/** As many quintuples as there are in `num` couples, `numUnlike` of which have two captions. */
export const numQuintuples = (num: number, numUnlike: number, captions: Captions): number =>
  captions === 'swap' ? 2 * num : 2 * num + 2 * numUnlike;

/**
 * Quintuple `index`. All first ones come before all second ones, so that the first N are N different couples: of
 * `both` and `captioned-only` (A, B, y_B), (B, A, y_A), and where the captions differ (A, B, y_A), (B, A, y_B); of
 * `swap` (A, B, y_A), (B, A, y_B).
 */
export const quintuple = (couples: Couples, captions: Captions, index: number): Quintuple => {
  const { length, first, second, unlike } = couples;
  const own = index < 2 * length;
  const span = own ? length : unlike.length;
  const place = own ? index : index - 2 * length;
  const back = place >= span;
  const couple = back ? place - span : place;
  const at = own ? couple : (unlike[couple] as number);
  const [a, b] = back ? [second[at] as number, first[at] as number] : [first[at] as number, second[at] as number];
  return { a, b, text: own && captions !== 'swap' ? b : a };
};

/** The index of the swapped partner of quintuple `index`: of (A, B, y_A) it is (B, A, y_B). */
export const partnerOf = ({ length, unlike }: Couples, index: number): number => {
  const [start, span] = index < 2 * length ? [0, length] : [2 * length, unlike.length];
  return index - start < span ? index + span : index - span;
};

const isPartner = (of: Quintuple, partner: Quintuple): boolean =>
  partner.a === of.b && partner.b === of.a && (of.text === of.a) === (partner.text === partner.a);

/**
 * Checks Eq. 8 and 39 on everything that the couples give: with (A, B, y_A) also (B, A, y_B), of two different pictures.
 * Raises `set_not_closed`.
 */
export const checkClosedUnderSwap = (couples: Couples, captions: Captions): void => {
  const total = numQuintuples(couples.length, couples.unlike.length, captions);
  for (let index = 0; index < total; index += 1) {
    const one = quintuple(couples, captions, index);
    const partner = partnerOf(couples, index);
    const closed = partner < total && isPartner(one, quintuple(couples, captions, partner));
    if (closed && one.a !== one.b) continue;
    throw new PosetwinError('set_not_closed', `pair (${one.a}, ${one.b}) has no swapped partner in the set`);
  }
};
