import { z } from 'zod';

/** Where a value of an experiment comes from. */
export const Origin = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('default') }),
  z.strictObject({ kind: z.literal('file'), file: z.string(), line: z.int(), column: z.int() }),
  z.strictObject({ kind: z.literal('flag'), text: z.string(), flag: z.literal('--sweep').exactOptional() }),
]);
export type Origin = z.output<typeof Origin>;

/** Dotted path of every leaf → its origin. */
export const Origins = z.record(z.string(), Origin);
export type Origins = z.output<typeof Origins>;
