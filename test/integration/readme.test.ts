import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ensurePython } from '../../orchestrator/processes/python-setup.ts';

const minutes = 60_000;
const readme = await readFile('README.md', 'utf8');
const blocks = (language: string): string[] =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(match => match[1] ?? '');
const commands = blocks('sh')
  .flatMap(block => block.split('\n'))
  .map(line => line.replace(/\s+#.*$/, ''))
  .filter(line => line.startsWith('npx tsx orchestrator/run.ts'));

/** A run in minutes becomes one in seconds: the smoke form of the long commands. */
const smoke = [
  'schedule.num_steps=4',
  'train.max_train_steps=2',
  'evaluate.num_pairs=2',
  'evaluate.num_inference_steps=2',
  'audit.num_pairs=2',
  // Two test files run side by side: each keeps to one core.
  'num_threads=1',
].flatMap(setting => ['--set', setting]);
const smokeSets = (line: string): string[] => (/run\.ts \S+\.yaml( --set \S+)?$/.test(line) ? smoke : []);

interface Ended {
  code: number;
  output: string;
}

const execute = (file: string, args: string[], folder: string, env: Record<string, string> = {}): Promise<Ended> =>
  new Promise(done => {
    execFile(file, args, { cwd: folder, env: { ...process.env, ...env } }, (error, stdout, stderr) =>
      done({ code: error === null ? 0 : Number(error.code ?? 1), output: `${stdout}${stderr}` }),
    );
  });

/** A line of the README as its words; quotes only ever hold a prompt. */
const wordsOf = (line: string): string[] => (line.match(/"[^"]*"|\S+/g) ?? []).map(word => word.replaceAll('"', ''));

describe('the README', () => {
  let folder: string;
  const run = (line: string): Promise<Ended> =>
    execute(
      process.execPath,
      ['--import', import.meta.resolve('tsx'), ...wordsOf(line).slice(2), ...smokeSets(line)],
      folder,
    );

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'posetwin-readme-'));
    for (const name of ['orchestrator', 'experiments', 'configs']) await symlink(resolve(name), join(folder, name));
    await writeFile(join(folder, 'mine.yaml'), blocks('yaml')[0] ?? '');
    await mkdir(join(folder, 'photos'));
  });

  it('opens with the two commands that do everything', () => {
    expect(
      blocks('sh')[0]
        ?.split('\n')
        .map(line => line.replace(/\s+#.*$/, '')),
    ).toEqual(['npm ci && npm run quickstart', 'npm ci && npm test', '']);
  });

  it(
    'shows an experiment that runs to its report',
    async () => {
      const { code, output } = await run('npx tsx orchestrator/run.ts mine.yaml');
      expect(output).toContain('report: runs/mine/');
      expect(code).toBe(0);
    },
    5 * minutes,
  );

  // Those that train are covered by the experiment above and by run.test.ts.
  const quick = commands.filter(line => smokeSets(line).length === 0 && !/--adapter|photos/.test(line));
  it.each(quick)(
    'gives a command that works: %s',
    async line => {
      const { code, output } = await run(line);
      expect({ code, output }).toMatchObject({ code: 0 });
    },
    2 * minutes,
  );

  it(
    'gives a command that draws with the adapter of a run',
    async () => {
      const line = commands.find(command => command.includes('--adapter')) ?? '';
      const { code, output } = await run(line.replace('runs/quickstart', 'runs/mine'));
      expect({ code, output }).toMatchObject({ code: 0 });
    },
    2 * minutes,
  );

  it(
    'says what a folder of photos without a person lacks',
    async () => {
      const line = commands.find(command => command.includes('photos.yaml')) ?? '';
      const { code, output } = await run(line);
      expect({ code, output }).toMatchObject({ code: 3, output: expect.stringContaining('too_few_samples') });
    },
    2 * minutes,
  );

  it(
    'has ten lines of Python that work in a notebook',
    async () => {
      const { python, pythonPath } = await ensurePython();
      const code = blocks('python')[0] ?? '';
      const ended = await execute(python, ['-c', code], folder, { PYTHONPATH: pythonPath });
      expect(ended).toMatchObject({ code: 0, output: expect.stringContaining('tensor([0.0200])') });
    },
    2 * minutes,
  );
});
