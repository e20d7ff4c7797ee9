/** zod (input side) → JSON Schema for editors; group keys also take the name of a file in configs/. */
import { z } from 'zod';
import { groupNames, groups } from '../../orchestrator/config/groups.ts';
import { Experiment } from '../../orchestrator/contracts/experiment.ts';
import { SweepSections } from '../../orchestrator/contracts/sweep.ts';

type JsonSchema = z.core.JSONSchema.BaseSchema;

const isSchema = (value: z.core.JSONSchema._JSONSchema | undefined): value is JsonSchema => typeof value === 'object';

const propertiesOf = (schema: JsonSchema): Record<string, z.core.JSONSchema._JSONSchema> => ({
  ...schema.properties,
  ...Object.assign({}, ...(schema.oneOf ?? []).filter(isSchema).map(propertiesOf)),
});

/** `mini`, or `{config: mini, path: …}`, or all the keys themselves. */
const withGroup = (group: string, schema: JsonSchema, names: readonly string[]): JsonSchema => {
  const { default: value, description, ...shape } = schema;
  const named = { type: 'string' as const, examples: [...names] };
  // A discriminated key such as `kind` is a constant in each option; beside `config` any string is let through.
  const overrides = Object.keys(propertiesOf(shape)).map(key => [key, {}]);
  const extended: JsonSchema = {
    type: 'object',
    properties: { config: named, ...Object.fromEntries(overrides) },
    required: ['config'],
    additionalProperties: false,
  };
  return {
    ...(description && { description }),
    ...(value !== undefined && { default: value }),
    anyOf: [{ ...named, description: `The name of a file in configs/${groups[group]}.` }, shape, extended],
  };
};

/** No part of an experiment, so their schemas stand beside that of one. */
const sweepSections = (): JsonSchema['properties'] =>
  z.toJSONSchema(SweepSections, { io: 'input', target: 'draft-7' }).properties;

export const generateEditorSchema = async (): Promise<string> => {
  const schema = z.toJSONSchema(Experiment, { io: 'input', target: 'draft-7' });
  const properties = { ...schema.properties };
  for (const group of Object.keys(groups)) {
    const shape = properties[group];
    if (isSchema(shape)) properties[group] = withGroup(group, shape, await groupNames(group));
  }
  const include = { type: 'array', items: { type: 'string' }, description: 'Files that this one builds upon.' };
  const title = 'A Posetwin experiment';
  const all = { include, ...properties, ...sweepSections() };
  return `${JSON.stringify({ ...schema, title, properties: all }, null, 2)}\n`;
};
