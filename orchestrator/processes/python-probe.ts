import { statfs } from 'node:fs/promises';
import { execa } from 'execa';
import { PosetwinError } from '../errors.ts';

export interface Interpreter {
  /** a path, or a name on PATH */
  python: string;
  version: string;
}

type Environment = NodeJS.ProcessEnv;

const MINIMUM = [3, 10] as const;
const candidates = ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python'];
const pythonHint = 'install Python 3.10 or newer, or name one in POSETWIN_PYTHON';
const modules = ['torch', 'diffusers', 'transformers', 'safetensors', 'pydantic', 'cv2', 'PIL', 'pyarrow', 'scipy'];
const describeSelf = [
  'import importlib.util, sys',
  "print(*sys.version_info[:3], sep='.')",
  "print(*[name for name in sys.argv[1:] if importlib.util.find_spec(name) is None], sep=', ')",
].join('\n');

/** What `python` prints, or null when it does not run or fails. */
const ask = async (python: string, args: readonly string[], env: Environment): Promise<string | null> => {
  const result = await execa(python, args, { env, extendEnv: false, reject: false, stdin: 'ignore' });
  return result.failed ? null : result.stdout;
};

const isRecent = (version: string): boolean => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > MINIMUM[0] || (major === MINIMUM[0] && minor >= MINIMUM[1]);
};

const versionOf = async (python: string, env: Environment): Promise<string | null> =>
  (await ask(python, ['-c', describeSelf], env))?.split('\n')[0] ?? null;

const tooOld = ({ python, version }: Interpreter): PosetwinError =>
  new PosetwinError('no_python', `${python} is Python ${version}; 3.10 or newer is needed`, { hint: pythonHint });

/** The first Python on PATH that is recent enough. Throws `no_python`. */
export const findPython = async (env: Environment): Promise<Interpreter> => {
  let old: Interpreter | undefined;
  for (const python of candidates) {
    const version = await versionOf(python, env);
    if (version !== null && isRecent(version)) return { python, version };
    if (version !== null) old ??= { python, version };
  }
  throw old === undefined ? new PosetwinError('no_python', 'no Python on PATH', { hint: pythonHint }) : tooOld(old);
};

/** Checks the interpreter that POSETWIN_PYTHON names. Throws `no_python` or, when packages are missing, `install_failed`. */
export const checkGivenPython = async (python: string, env: Environment): Promise<void> => {
  const answer = await ask(python, ['-c', describeSelf, ...modules], env);
  if (answer === null) throw new PosetwinError('no_python', `POSETWIN_PYTHON=${python} does not run`);
  const [version = '', missing = ''] = answer.split('\n');
  if (!isRecent(version)) throw tooOld({ python, version });
  if (missing !== '') {
    const hint = `run ${python} -m pip install -e . here, or unset POSETWIN_PYTHON`;
    throw new PosetwinError('install_failed', `POSETWIN_PYTHON=${python} has no ${missing}`, { hint });
  }
};

/** True for a finished virtual environment that pip can install into. */
export const isUsableVenv = async (python: string, env: Environment): Promise<boolean> => {
  const version = await versionOf(python, env);
  return version !== null && isRecent(version) && (await ask(python, ['-m', 'pip', '--version'], env)) !== null;
};

/** Throws `no_venv` where Python comes without the modules that make virtual environments, as on Debian. */
export const checkVenvModule = async ({ python, version }: Interpreter, env: Environment): Promise<void> => {
  if ((await ask(python, ['-c', 'import venv, ensurepip'], env)) !== null) return;
  const hint = 'on Debian and Ubuntu: apt install python3-venv';
  throw new PosetwinError('no_venv', `Python ${version} (${python}) has no venv module`, { hint });
};

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

/** Throws `disk_full` when fewer than `needed_bytes` are free at `folder`. */
export const checkDisk = async (folder: string, needed_bytes: number): Promise<void> => {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= needed_bytes) return;
  const message = `${folder}: ${gigabytes(bavail * bsize)} free, ${gigabytes(needed_bytes)} needed for Python's packages`;
  throw new PosetwinError('disk_full', message, { hint: 'free some space', path: folder });
};
