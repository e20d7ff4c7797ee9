import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, parse } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askOver } from '../../orchestrator/commands/loss.ts';
import { compareTerm } from '../../orchestrator/commands/loss-compare.ts';
import { isLossName } from '../../orchestrator/losses/index.ts';
import { isAlive } from '../../orchestrator/processes/process-table.ts';
import { ensurePython } from '../../orchestrator/processes/python-setup.ts';
import { Services } from '../../orchestrator/stages/services.ts';

interface GoldenCase {
  inputs: Record<string, unknown>;
  values: number[];
}

const goldenFolder = 'test/golden/losses';
const goldenFiles = readdirSync(goldenFolder).filter(file => file.endsWith('.json'));
const casesOf = (file: string): GoldenCase[] => JSON.parse(readFileSync(join(goldenFolder, file), 'utf8')).cases;

const expectClose = (actual: readonly number[], expected: readonly number[]): void => {
  expect(actual).toHaveLength(expected.length);
  for (const [index, value] of expected.entries())
    expect(Math.abs((actual[index] ?? Number.NaN) - value)).toBeLessThanOrEqual(1e-9 * Math.max(Math.abs(value), 1e-3));
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'posetwin-loss-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('loss over the bridge', () => {
  const services = new Services({ onSetup: () => undefined });
  afterAll(() => services.close());

  it.each(goldenFiles)('finds that both languages agree with %s', async file => {
    const { name } = parse(file);
    if (!isLossName(name)) throw new Error(`there is no term ${name}`);
    for (const { inputs, values } of casesOf(file)) {
      const found = await compareTerm(name, inputs, askOver(services));
      expect(found).toMatchObject({ term: name, agree: true });
      expectClose(found.typescript.values, values);
      expectClose(found.python.values, values);
    }
  });

  it('tells what Python alone refuses as a mistake in the inputs', async () => {
    const inputs = { target_pose: [1, 2], pose_residual: [1, 2], q: [1, 2, 3] };
    const error: unknown = await compareTerm('per_step', inputs, askOver(services)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'wrong_type', hint: expect.stringContaining('pose_residual') });
    expect(error).not.toHaveProperty('details.traceback');
  });
});

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

const posetwin = (args: string[], input = '', env: Record<string, string> = {}) => {
  const command = ['--import', 'tsx', 'orchestrator/run.ts', ...args];
  const child = spawn(process.execPath, command, { env: { ...process.env, ...env } });
  child.stdin.end(input);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', text => {
    stdout += text;
  });
  child.stderr.on('data', text => {
    stderr += text;
  });
  const ended = new Promise<Ended>(done => child.on('close', code => done({ code, stdout, stderr })));
  return { child, ended };
};

/** An interpreter that leaves its process id in `file` when it serves a bridge. */
const watchedPython = async (file: string): Promise<string> => {
  const { python } = await ensurePython();
  const script = join(folder, 'python.sh');
  await writeFile(script, `#!/bin/sh\n[ "$1" = -c ] || echo $$ > '${file}'\nexec '${python}' "$@"\n`);
  await chmod(script, 0o755);
  return script;
};

describe('posetwin loss', () => {
  it('compares the example that is shipped', async () => {
    const args = ['loss', 'target_pose', '--inputs', 'experiments/loss/target_pose.json', '--json'];
    const { code, stdout } = await posetwin(args).ended;
    const found = JSON.parse(stdout);
    expect(found).toMatchObject({ term: 'target_pose', agree: true, code: null });
    // By hand: (0.0005 + 0.0005 + 0.0013)/3 and (0.0013 + 0.0001)/2.
    expectClose(found.python.values, [0.0023 / 3, 0.0007]);
    expect(code).toBe(0);
  });

  it('reads standard input and prints plain lines', async () => {
    const { code, stdout } = await posetwin(['loss', 'total', '--inputs', '-'], '{"losses": [1, 2], "reading": "sum"}')
      .ended;
    expect(stdout).toMatch(/TypeScript +3\n +Python +3\n/);
    expect(code).toBe(0);
  });

  it('ends with 130 at Ctrl-C and leaves no Python behind', async () => {
    const file = join(folder, 'pid');
    const env = { POSETWIN_PYTHON: await watchedPython(file) };
    const { child, ended } = posetwin(['loss', 'total', '--inputs', '-'], '{"losses": [1], "reading": "sum"}', env);
    while (!existsSync(file)) await wait(20);
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    expect({ code, stderr }).toMatchObject({ code: 130, stderr: expect.stringMatching(/^cancelled /) });
    expect(isAlive(Number(await readFile(file, 'utf8')))).toBe(false);
  });
});
