import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { appendFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { z } from 'zod';
import { PosetwinError } from '../errors.ts';

const temporaryOf = (file: string): string => `${file}.${randomUUID().slice(0, 8)}.tmp`;

/** Writes beside the target and renames, so that a reader or a crash never meets half a file. */
export const writeText = async (file: string, text: string): Promise<void> => {
  await mkdir(dirname(file), { recursive: true });
  const temporary = temporaryOf(file);
  await writeFile(temporary, text);
  await rename(temporary, file);
};

export const writeJson = (file: string, value: unknown): Promise<void> =>
  writeText(file, `${JSON.stringify(value, null, 2)}\n`);

const linesOf = async function* (values: Iterable<unknown> | AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const value of values) yield `${JSON.stringify(value)}\n`;
};

/** One line a value, written as they come: there may be more of them than fit into memory. */
export const writeLines = async (file: string, values: Iterable<unknown> | AsyncIterable<unknown>): Promise<void> => {
  await mkdir(dirname(file), { recursive: true });
  const temporary = temporaryOf(file);
  await pipeline(Readable.from(linesOf(values)), createWriteStream(temporary));
  await rename(temporary, file);
};

export const appendLine = (file: string, value: unknown): Promise<void> =>
  appendFile(file, `${JSON.stringify(value)}\n`);

const isMissing = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';

/** The file's text, or undefined where there is no such file. */
export const readText = async (file: string): Promise<string | undefined> => {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
};

const parse = <T>(schema: z.ZodType<T>, text: string, file: string, line?: number): T => {
  const place = { file, ...(line === undefined ? {} : { line }) };
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new PosetwinError('corrupt_file', `${file} does not hold what it should: ${message}`, { ...place, cause });
  }
};

/** The file as `schema` reads it. Raises `corrupt_file`, also when it is missing. */
export const readJson = async <T>(file: string, schema: z.ZodType<T>): Promise<T> => {
  const text = await readText(file);
  if (text === undefined) throw new PosetwinError('corrupt_file', `${file} is missing`, { file });
  return parse(schema, text, file);
};

/** The same, but undefined where there is no such file. */
export const readJsonIfThere = async <T>(file: string, schema: z.ZodType<T>): Promise<T | undefined> => {
  const text = await readText(file);
  return text === undefined ? undefined : parse(schema, text, file);
};

/** Every whole line of a JSONL file; a last line without its newline was cut off by a crash and is left out. */
export const readLines = async <T>(file: string, schema: z.ZodType<T>): Promise<T[]> => {
  const lines = ((await readText(file)) ?? '').split('\n').slice(0, -1);
  return lines.flatMap((line, index) => (line.trim() === '' ? [] : [parse(schema, line, file, index + 1)]));
};
