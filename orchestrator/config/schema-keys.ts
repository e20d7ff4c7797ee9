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

/** Of a choice between a mapping and something else the mapping: nothing else has keys. */
const mappingOf = ({ options }: z.ZodUnion): z.core.$ZodType | undefined =>
  options.find(option => option instanceof z.ZodObject);

const stepInto = (schema: z.core.$ZodType, step: PropertyKey): z.core.$ZodType | undefined => {
  if (schema instanceof z.ZodObject) return schema.shape[String(step)];
  if (schema instanceof z.ZodRecord) return schema.valueType;
  return schema instanceof z.ZodArray ? schema.element : undefined;
};

const optionOf = (schema: z.core.$ZodType, value: unknown): z.core.$ZodType | undefined => {
  if (schema instanceof z.ZodDiscriminatedUnion) return optionFor(schema, value);
  return schema instanceof z.ZodUnion ? mappingOf(schema) : schema;
};

/** The object schema at `path`; `value`, the input, chooses among the options of a union. */
const objectAt = (schema: z.core.$ZodType, value: unknown, path: readonly PropertyKey[]): z.ZodObject | undefined => {
  const bare = unwrap(schema);
  const chosen = optionOf(bare, value);
  const [step, ...rest] = path;
  if (step === undefined) return chosen instanceof z.ZodObject ? chosen : undefined;
  const below = chosen && stepInto(chosen, step);
  const inner = typeof value === 'object' && value !== null ? Reflect.get(value, step) : undefined;
  return below && objectAt(below, inner, rest);
};

/** The keys that the mapping at `path` may have. */
export const keysAt = (schema: z.core.$ZodType, value: unknown, path: readonly PropertyKey[]): string[] =>
  Object.keys(objectAt(schema, value, path)?.shape ?? {});
