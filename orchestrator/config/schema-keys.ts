/** What a zod schema allows at a path, for hints. */
import { z } from 'zod';

const unwrap = (schema: z.core.$ZodType): z.core.$ZodType =>
  schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodNullable
    ? unwrap(schema.unwrap())
    : schema;

const optionFor = (union: z.ZodDiscriminatedUnion, value: unknown): z.core.$ZodType | undefined =>
  union.options.find(option => {
    const key = union.def.discriminator;
    const literal = option instanceof z.ZodObject ? option.shape[key] : undefined;
    const chosen = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
    return literal instanceof z.ZodLiteral && literal.value === chosen;
  });

const stepInto = (schema: z.core.$ZodType, step: PropertyKey): z.core.$ZodType | undefined => {
  if (schema instanceof z.ZodObject) return schema.shape[String(step)];
  return schema instanceof z.ZodArray ? schema.element : undefined;
};

/** The object schema at `path`; `value`, the input, chooses among the options of a union. */
const objectAt = (schema: z.core.$ZodType, value: unknown, path: readonly PropertyKey[]): z.ZodObject | undefined => {
  const bare = unwrap(schema);
  const chosen = bare instanceof z.ZodDiscriminatedUnion ? optionFor(bare, value) : bare;
  const [step, ...rest] = path;
  if (step === undefined) return chosen instanceof z.ZodObject ? chosen : undefined;
  const below = chosen && stepInto(chosen, step);
  const inner = typeof value === 'object' && value !== null ? Reflect.get(value, step) : undefined;
  return below && objectAt(below, inner, rest);
};

/** The keys that the mapping at `path` may have. */
export const keysAt = (schema: z.core.$ZodType, value: unknown, path: readonly PropertyKey[]): string[] =>
  Object.keys(objectAt(schema, value, path)?.shape ?? {});
