import { appendFileSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { LineReader } from '../../../orchestrator/commands/follow.ts';

let file: string;
beforeEach(() => {
  file = join(mkdtempSync(join(tmpdir(), 'posetwin-follow-')), 'log');
});

describe('a log that grows', () => {
  it('is read line by line, each once and whole, also where a character is cut in two', async () => {
    const reader = new LineReader(file);
    expect(await reader.read()).toEqual([]);
    const bytes = Buffer.from('one\nΔL 0.1\nrest');
    writeFileSync(file, bytes.subarray(0, 5));
    expect(await reader.read()).toEqual(['one']);
    appendFileSync(file, bytes.subarray(5));
    expect(await reader.read()).toEqual(['ΔL 0.1']);
    expect(await reader.read()).toEqual([]);
    expect(reader.end()).toEqual(['rest']);
    expect(reader.end()).toEqual([]);
  });

  it('is read anew when it was replaced by a shorter one', async () => {
    const reader = new LineReader(file);
    writeFileSync(file, 'one\ntwo\n');
    await reader.read();
    writeFileSync(file, 'new\n');
    expect(await reader.read()).toEqual(['new']);
  });
});
