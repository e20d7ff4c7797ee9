import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { refusals } from '../../../orchestrator/config/semantics.ts';
import { Dataset } from '../../../orchestrator/contracts/dataset.ts';
import { Experiment } from '../../../orchestrator/contracts/experiment.ts';
import { Method } from '../../../orchestrator/contracts/method.ts';
import { Schedule } from '../../../orchestrator/contracts/schedule.ts';

interface Row {
  key: string;
  readings: string[];
  files: string[];
}

const quoted = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(match => match[1] ?? '');

/** The table "Named readings" of docs/equations.md. */
const rows: Row[] = (() => {
  const text = readFileSync('docs/equations.md', 'utf8');
  const [, section = ''] = /## Named readings\n(.*?)\n## /s.exec(text) ?? [];
  return section.split('\n').flatMap(line => {
    const cells = line.split(/(?<!\\)\|/).map(cell => cell.trim());
    const [key] = quoted(cells[1] ?? '');
    return key === undefined ? [] : [{ key, readings: quoted(cells[2] ?? ''), files: quoted(cells[4] ?? '') }];
  });
})();

const pathOf = (key: string): string[] => key.split('.');

const assign = (target: Record<string, unknown>, [step = '', ...rest]: string[], value: unknown): void => {
  if (rest.length === 0) target[step] = value;
  else {
    target[step] ??= {};
    assign(target[step] as Record<string, unknown>, rest, value);
  }
};

/** What a reading of the schedule needs beside it to be written at all. */
const kindFor: Record<string, string> = {
  'schedule.spacing': 'scaled_linear',
  'schedule.of': 'arithmetic',
  'schedule.order': 'arithmetic',
  'schedule.singular': 'linear',
};

const inputOf = (choices: readonly (readonly [string, string])[]): Record<string, unknown> => {
  const input: Record<string, unknown> = { name: 'readings' };
  for (const [key, reading] of choices) {
    if (kindFor[key] !== undefined) assign(input, ['schedule', 'kind'], kindFor[key]);
    assign(input, pathOf(key), reading);
    if (reading === 'list') assign(input, ['schedule', 'values'], [0.9, 0.5]);
  }
  return input;
};

const valueAt = (value: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (inner, step) => (typeof inner === 'object' && inner ? Reflect.get(inner, step) : undefined),
    value,
  );

const all = rows.flatMap(({ key, readings }) => readings.map(reading => [key, reading] as const));
const conflicting = (a: readonly [string, string], b: readonly [string, string]): boolean =>
  a[0] === b[0] || (a[0].startsWith('schedule.') && b[0].startsWith('schedule.'));
const pairs = all.flatMap((a, index) =>
  all.slice(index + 1).flatMap(b => (conflicting(a, b) ? [] : [[a, b] as const])),
);

describe('the named readings', () => {
  it('are all of those that the contracts know, the default first', () => {
    const usual = Experiment.parse({ name: 'usual' });
    for (const { key, readings } of rows.filter(({ key }) => !key.startsWith('schedule.')))
      expect([key, readings[0]]).toEqual([key, valueAt(usual, pathOf(key))]);
    const documented = new Map(rows.map(({ key, readings }) => [key, readings]));
    const { q, latents, scene_weight, score_weight, guidance_scale, normalization_bias, ...method } = Method.shape;
    for (const [key, schema] of Object.entries(method))
      expect([key, schema.unwrap().options]).toEqual([key, documented.get(`method.${key}`)]);
    expect(documented.get('method.q')).toEqual(q.unwrap().options[0].options);
    for (const [key, schema] of Object.entries(latents.unwrap().shape))
      expect(schema.unwrap().options).toEqual(documented.get(`method.latents.${key}`));
    for (const key of ['pairs', 'captions'] as const)
      expect(Dataset.shape[key].unwrap().options).toEqual(documented.get(`dataset.${key}`));
    expect(Schedule.options.map(({ shape }) => shape.kind.value)).toEqual(documented.get('schedule.kind'));
  });

  it('name files that exist', () => {
    expect(rows.length).toBeGreaterThan(15);
    for (const { files } of rows) for (const file of files) expect(existsSync(file), file).toBe(true);
  });

  it.each(all)('%s: %s can be chosen', (key, reading) => {
    const experiment = Experiment.parse(inputOf([[key, reading]]));
    expect(valueAt(experiment, pathOf(key))).toBe(reading);
  });

  it(`in each of ${pairs.length} pairs are accepted, or refused with a reason and a remedy`, () => {
    const refused = pairs.flatMap(pair => refusals(Experiment.parse(inputOf(pair))));
    for (const { paths, message, hint } of refused) {
      expect(paths.length).toBeGreaterThan(0);
      expect(message).not.toBe('');
      expect(hint).not.toBe('');
    }
    const reasons = new Set(refused.map(({ paths }) => paths[0]));
    for (const path of ['method.pose_residual', 'method.latents.state', 'method.sampler', 'method.one_step'])
      expect(reasons).toContain(path);
  });
});
