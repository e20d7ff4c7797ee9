import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Bridge } from '../../orchestrator/bridge/bridge.ts';
import { isAlive } from '../../orchestrator/processes/process-table.ts';
import { ensurePython, type PythonSetup } from '../../orchestrator/processes/python-setup.ts';

const contract = {
  echo: { params: z.strictObject({ value: z.unknown() }), result: z.unknown() },
  read_environment: {
    params: z.strictObject({ names: z.array(z.string()) }),
    result: z.record(z.string(), z.string().nullable()),
  },
  fail: { params: z.strictObject({ kind: z.string() }), result: z.null() },
  give: { params: z.strictObject({ kind: z.string() }), result: z.number().or(z.array(z.number())) },
  hang: { params: z.strictObject({}), result: z.null() },
  end: { params: z.strictObject({ kind: z.string() }), result: z.null() },
  speak: { params: z.strictObject({ text: z.string() }), result: z.literal('said') },
  unknown_to_python: { params: z.strictObject({}), result: z.null() },
} as const;

let setup: PythonSetup;
let folder: string;
let log: string;
let bridge: Bridge<typeof contract>;

const fixtures = resolve('test/fixtures/python');
const open = (python = setup.python, facade = 'bridge_fixture'): Promise<Bridge<typeof contract>> =>
  Bridge.open({ contract, python, pythonPath: [setup.pythonPath, fixtures].join(delimiter), facade, log });

beforeAll(async () => {
  setup = await ensurePython();
  folder = await mkdtemp(join(tmpdir(), 'posetwin-bridge-'));
  log = join(folder, 'bridge.log');
});
afterAll(() => rm(folder, { recursive: true }));

describe('an open bridge', () => {
  beforeEach(async () => {
    bridge = await open();
  });
  afterEach(async () => {
    await bridge.close();
    expect(isAlive(bridge.pid)).toBe(false);
  });

  it('carries JSON both ways unchanged, also keys that pythonia takes for its own', async () => {
    const value = { ffid: 1, r: 2, text: 'ü✗\u2028"', list: [0.1, -1e-300, null, true], nested: { toJSON: 'x' } };
    expect(await bridge.call('echo', { value })).toEqual(value);
  });

  it('carries a string of many megabytes', async () => {
    const value = 'é'.repeat(4_000_000);
    expect(await bridge.call('echo', { value })).toBe(value);
  });

  it('answers several calls made at once, each with its own answer', async () => {
    const values = [1, 2, 3, 4, 5];
    expect(await Promise.all(values.map(value => bridge.call('echo', { value })))).toEqual(values);
  });

  it('hands an exception over as python_error with its traceback, and goes on', async () => {
    await expect(bridge.call('fail', { kind: 'value' })).rejects.toMatchObject({
      code: 'python_error',
      message: expect.stringContaining('second line\nand ✗'),
      details: { traceback: expect.stringContaining('bridge_fixture.py') },
    });
    expect(await bridge.call('echo', { value: 1 })).toBe(1);
  });

  it("keeps the code and the hint of the project's own errors", async () => {
    const failure = { code: 'missing_weights', hint: 'download them', class: 'environment' };
    await expect(bridge.call('fail', { kind: 'ours' })).rejects.toMatchObject(failure);
  });

  it('names a lack of memory out_of_memory', async () => {
    await expect(bridge.call('fail', { kind: 'memory' })).rejects.toMatchObject({ code: 'out_of_memory' });
  });

  it('takes sys.exit for an exception', async () => {
    await expect(bridge.call('fail', { kind: 'exit' })).rejects.toMatchObject({ code: 'python_error' });
    expect(await bridge.call('echo', { value: 1 })).toBe(1);
  });

  it.each(['nan', 'infinity', 'object', 'text'])('refuses the answer %s with bridge_contract', async kind => {
    await expect(bridge.call('give', { kind })).rejects.toMatchObject({ code: 'bridge_contract' });
    expect(await bridge.call('echo', { value: 1 })).toBe(1);
  });

  it('turns a set into a sorted list', async () => {
    expect(await bridge.call('give', { kind: 'set' })).toEqual([1, 2]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('refuses the parameter %s with bridge_contract', async value => {
    await expect(bridge.call('echo', { value: [value] })).rejects.toMatchObject({ code: 'bridge_contract' });
  });

  it('refuses parameters that are not as agreed with bridge_contract', async () => {
    const params = JSON.parse('{"kind": 1}') as { kind: string };
    await expect(bridge.call('fail', params)).rejects.toMatchObject({ code: 'bridge_contract' });
  });

  it('refuses a method that Python does not have with bridge_contract', async () => {
    await expect(bridge.call('unknown_to_python', {})).rejects.toMatchObject({ code: 'bridge_contract' });
  });

  it('keeps prints, also those of C, out of standard output and in the log', async () => {
    expect(await bridge.call('speak', { text: 'hello' })).toBe('said');
    expect(readFileSync(log, 'utf8')).toContain('hello\nhello from C\n');
  });

  it('hides its channel from what Python starts, and its settings from this process', async () => {
    const names = ['NODE_CHANNEL_FD'];
    expect(await bridge.call('read_environment', { names })).toEqual({ NODE_CHANNEL_FD: null });
    expect(process.env.PYTHON_BIN).toBeUndefined();
  });

  it('goes on after a warm-up of a module that does not exist', async () => {
    bridge.warmUp(['zipfile', 'no_such_module']);
    expect(await bridge.call('echo', { value: 1 })).toBe(1);
  });

  it('kills Python at the deadline: bridge_timeout for the late call and for those that wait behind it', async () => {
    const late = bridge.call('hang', {}, { timeout_ms: 200 });
    const behind = bridge.call('echo', { value: 1 });
    await expect(late).rejects.toMatchObject({ code: 'bridge_timeout', class: 'bridge' });
    await expect(behind).rejects.toMatchObject({ code: 'bridge_timeout' });
    await expect(bridge.call('echo', { value: 1 })).rejects.toMatchObject({ code: 'bridge_timeout' });
  });

  it.each([
    ['exit', 'exit code 7'],
    ['segfault', 'SIGSEGV'],
    ['kill', 'SIGKILL'],
  ])('fails every pending and later call with bridge_died when Python ends by %s', async (kind, how) => {
    const died = { code: 'bridge_died', message: expect.stringContaining(how), details: { log } };
    const calls = [bridge.call('end', { kind }), bridge.call('echo', { value: 1 })];
    for (const call of calls) await expect(call).rejects.toMatchObject(died);
    await expect(bridge.call('echo', { value: 1 })).rejects.toMatchObject(died);
  });

  it('fails the pending call when somebody kills Python', async () => {
    const pending = bridge.call('hang', {});
    process.kill(bridge.pid, 'SIGKILL');
    await expect(pending).rejects.toMatchObject({ code: 'bridge_died' });
  });

  it('leaves the place of a segmentation fault in the log', async () => {
    await bridge.call('end', { kind: 'segfault' }).catch(() => undefined);
    expect(readFileSync(log, 'utf8')).toContain('in end');
  });

  it('fails what is pending with bridge_died when it is closed', async () => {
    const pending = bridge.call('hang', {});
    await Promise.all([bridge.close(), expect(pending).rejects.toMatchObject({ code: 'bridge_died' })]);
  });

  it('is alone in its process', async () => {
    await expect(open()).rejects.toMatchObject({ code: 'bug' });
  });
});

describe('opening a bridge', () => {
  it('opens again after one was closed', async () => {
    for (const value of [1, 2]) {
      const again = await open();
      expect(await again.call('echo', { value })).toBe(value);
      await again.close();
    }
  });

  it.each(['/no/such/python', '/', '/bin/true'])('fails with bridge_died when the interpreter is %s', async python => {
    await expect(open(python)).rejects.toMatchObject({ code: 'bridge_died' });
  });

  it('fails with bridge_timeout when the interpreter does not answer', async () => {
    const python = join(folder, 'mute');
    await writeFile(python, `#!${process.execPath}\nsetInterval(() => undefined, 1000);\n`, { mode: 0o755 });
    const opening = Bridge.open({ contract, python, pythonPath: '', timeout_ms: 500 });
    await expect(opening).rejects.toMatchObject({ code: 'bridge_timeout' });
  });

  it('fails with python_error when posetwin does not import', async () => {
    await mkdir(join(folder, 'broken', 'posetwin'), { recursive: true });
    await writeFile(join(folder, 'broken', 'posetwin', '__init__.py'), "raise ImportError('broken installation')\n");
    const opening = Bridge.open({ contract, python: setup.python, pythonPath: join(folder, 'broken') });
    const failure = { code: 'python_error', message: expect.stringContaining('broken installation') };
    await expect(opening).rejects.toMatchObject(failure);
  });

  it('tells by the first call that the facade does not import', async () => {
    const other = await open(setup.python, 'no_such_facade');
    await expect(other.call('echo', { value: 1 })).rejects.toMatchObject({ code: 'python_error' });
    await other.close();
  });
});
