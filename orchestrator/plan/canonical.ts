import { createHash } from 'node:crypto';

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
};

/** JSON with sorted keys and no spaces: equal values give equal text, whatever order they were written in. */
export const canonicalJson = (value: unknown): string => JSON.stringify(sorted(value));

/** The first `length` hex digits of the SHA-256 of the canonical JSON. */
export const contentHash = (value: unknown, length = 16): string =>
  createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, length);
