import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { lstat, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withLock } from './lock.ts';
import { runSetupStep } from './pip.ts';
import { checkDisk, checkGivenPython, checkVenvModule, findPython, isUsableVenv } from './python-probe.ts';

export interface PythonSetup {
  /** the interpreter */
  python: string;
  /** what PYTHONPATH must be, so that `import posetwin` finds this project */
  pythonPath: string;
}

export interface EnsurePythonOptions {
  onProgress?: (line: string) => void;
  /** aborted: the set-up ends with `cancelled`; the next one goes on from what is there */
  signal?: AbortSignal;
  project_dir?: string;
  env?: NodeJS.ProcessEnv;
  /** free space to ask for before anything is downloaded; the default suits the CPU build of torch */
  needed_bytes?: number;
}

type Setup = Required<Omit<EnsurePythonOptions, 'signal'>> & { signal: AbortSignal | undefined; venv: string };

const projectDir = fileURLToPath(new URL('../..', import.meta.url));
const CPU_BUILD_BYTES = 3e9;
const windows = process.platform === 'win32';

const venvPython = (venv: string): string =>
  windows ? join(venv, 'Scripts', 'python.exe') : join(venv, 'bin', 'python');
const stampOf = (venv: string): string => join(venv, 'posetwin-stamp');

const wantedStamp = async ({ project_dir }: Setup): Promise<string> =>
  createHash('sha256')
    .update(await readFile(join(project_dir, 'pyproject.toml')))
    .digest('hex');

/** True when the last set-up was for this pyproject.toml, and the interpreter under it still exists. */
const isUpToDate = async (setup: Setup): Promise<boolean> => {
  const stamp = await readFile(stampOf(setup.venv), 'utf8').catch(() => null);
  return stamp !== null && stamp === (await wantedStamp(setup)) && existsSync(venvPython(setup.venv));
};

const writeStamp = async (setup: Setup): Promise<void> => {
  const temporary = `${stampOf(setup.venv)}.tmp`;
  await writeFile(temporary, await wantedStamp(setup));
  await rename(temporary, stampOf(setup.venv));
};

const sizeOf = async (folder: string): Promise<number> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter(entry => entry.isFile()).map(entry => lstat(join(entry.parentPath, entry.name)));
  return (await Promise.all(files)).reduce((sum, file) => sum + file.size, 0);
};

const runStep = (setup: Setup, python: string, args: readonly string[]): Promise<void> =>
  runSetupStep({
    python,
    args,
    cwd: setup.project_dir,
    env: setup.env,
    log: join(setup.venv, 'setup.log'),
    onProgress: setup.onProgress,
    ...(setup.signal === undefined ? {} : { signal: setup.signal }),
  });

const makeVenv = async (setup: Setup): Promise<void> => {
  const found = await findPython(setup.env);
  await checkVenvModule(found, setup.env);
  await checkDisk(setup.project_dir, setup.needed_bytes);
  setup.onProgress(`making ${setup.venv} with Python ${found.version}: once, some minutes, 1 to 2 GB (more with CUDA)`);
  await rm(setup.venv, { recursive: true, force: true });
  await mkdir(setup.venv);
  await runStep(setup, found.python, ['venv', setup.venv]);
};

const install = async (setup: Setup): Promise<void> => {
  const start = Date.now();
  const python = venvPython(setup.venv);
  await rm(stampOf(setup.venv), { force: true });
  if (!(await isUsableVenv(python, setup.env))) await makeVenv(setup);
  setup.onProgress("installing Python's packages");
  const options = ['--disable-pip-version-check', '--no-input', '--progress-bar', 'off'];
  await runStep(setup, python, ['pip', 'install', ...options, '-e', '.[dev]']);
  await writeStamp(setup);
  const size = ((await sizeOf(setup.venv)) / 1e9).toFixed(1);
  setup.onProgress(`Python is ready: ${size} GB in ${Math.round((Date.now() - start) / 1000)} s`);
};

const setUp = (setup: Setup): Promise<void> =>
  withLock(
    `${setup.venv}.lock`,
    {
      code: 'setup_locked',
      onWait: owner => setup.onProgress(`waiting for the set-up that process ${owner?.pid ?? '?'} is doing`),
      ...(setup.signal === undefined ? {} : { signal: setup.signal }),
    },
    // Whoever waited finds it done.
    async () => ((await isUpToDate(setup)) ? undefined : install(setup)),
  );

/** Where `ensurePython` will find or make Python, without looking: for showing commands. */
export const locatePython = (project_dir = projectDir, env: NodeJS.ProcessEnv = process.env): PythonSetup => ({
  python: env.POSETWIN_PYTHON || venvPython(join(resolve(project_dir), '.venv')),
  pythonPath: join(resolve(project_dir), 'python'),
});

/**
 * The Python that this project runs on: the one POSETWIN_PYTHON names, else `.venv`, made or updated when
 * pyproject.toml has changed since. Safe to call from several processes at once; nothing is started when all is there.
 *
 * Throws `no_python`, `no_venv`, `disk_full`, `no_network`, `install_failed`, `setup_locked`, `cancelled`.
 */
export const ensurePython = async (options: EnsurePythonOptions = {}): Promise<PythonSetup> => {
  const project_dir = resolve(options.project_dir ?? projectDir);
  const setup: Setup = {
    onProgress: options.onProgress ?? (() => undefined),
    signal: options.signal,
    project_dir,
    env: options.env ?? process.env,
    needed_bytes: options.needed_bytes ?? CPU_BUILD_BYTES,
    venv: join(project_dir, '.venv'),
  };
  const pythonPath = join(project_dir, 'python');
  const given = setup.env.POSETWIN_PYTHON;
  if (given) {
    await checkGivenPython(given, setup.env);
    return { python: given, pythonPath };
  }
  if (!(await isUpToDate(setup))) await setUp(setup);
  return { python: venvPython(setup.venv), pythonPath };
};
