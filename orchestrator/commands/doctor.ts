import { existsSync } from 'node:fs';
import { mkdir, readFile, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { facadeContract } from '../contracts/facade.ts';
import { toPosetwinError } from '../errors.ts';
import { locatePython } from '../processes/python-setup.ts';
import { hashFile, projectFolder } from '../runs/index.ts';
import { Services } from '../stages/services.ts';
import { datasetGuides, describeGuides } from './doctor-datasets.ts';
import { exitCodes } from './exit-codes.ts';
import { formatBytes } from './table.ts';

export interface Finding {
  name: string;
  ok: boolean;
  detail: string;
  /** what to do about it; empty when all is well */
  fix: string;
}

type Environment = z.output<(typeof facadeContract)['probe_environment']['result']>;

const good = (name: string, detail: string): Finding => ({ name, ok: true, detail, fix: '' });
const bad = (name: string, detail: string, fix: string): Finding => ({ name, ok: false, detail, fix });

const checkNode = (): Finding => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const recent = major > 20 || (major === 20 && minor >= 19);
  return recent ? good('node', process.version) : bad('node', process.version, 'install Node 20.19 or newer');
};

const diskNeeded = 2e9;

const checkDisk = async (): Promise<Finding> => {
  const { bavail, bsize } = await statfs(process.cwd());
  const detail = `${formatBytes(bavail * bsize)} free here`;
  return bavail * bsize >= diskNeeded
    ? good('disk', detail)
    : bad('disk', detail, 'free some space, e.g. with: clean --yes');
};

const describeDevices = ({ devices }: Environment): string =>
  devices.map(({ name, kind, memory_mb }) => `${kind} ${name} (${formatBytes(memory_mb * 2 ** 20)})`).join('; ');

const fromEnvironment = (environment: Environment, milliseconds: number): Finding[] => {
  const { python, packages } = environment;
  const others = Object.entries(packages).filter(([name]) => name !== 'torch');
  const torch = packages.torch;
  return [
    good('python', `${python}; ${others.map(([name, version]) => `${name} ${version}`).join(', ')}`),
    torch === undefined ? bad('torch', 'not found', 'delete .venv: the next run makes it anew') : good('torch', torch),
    good('devices', describeDevices(environment)),
    good('bridge', `answers, first question after ${Math.round(milliseconds)} ms`),
  ];
};

const isSetUp = (): boolean => Boolean(process.env.POSETWIN_PYTHON) || existsSync(locatePython().python);
const setUpFix = 'the first run makes it (npm run quickstart); or name an interpreter in POSETWIN_PYTHON';

/** Python and all that only Python can tell, through the bridge. */
const checkPython = async (): Promise<Finding[]> => {
  if (!isSetUp()) return [bad('python', 'no environment yet', setUpFix)];
  const log = join(tmpdir(), `posetwin-doctor-${process.pid}.log`);
  const services = new Services({ onSetup: line => console.error(line), log });
  const start = performance.now();
  try {
    const environment = await (await services.bridge()).call('probe_environment', {});
    return fromEnvironment(environment, performance.now() - start);
  } catch (cause) {
    const { code, message, hint } = toPosetwinError(cause);
    return [bad('python', `${code} ${message}`, hint ?? `see ${log}`)];
  } finally {
    await services.close();
  }
};

const weights = join(projectFolder, 'python', 'posetwin', 'mini', 'weights');
const reinstall = 'restore python/posetwin/mini/weights from the repository, or retrain: npm run mini:train';

const checkMiniWeights = async (): Promise<Finding> => {
  const name = 'mini weights';
  const text = await readFile(join(weights, 'hashes.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return bad(name, `no list of hashes in ${weights}`, reinstall);
  const expected = Object.entries(z.record(z.string(), z.string()).parse(JSON.parse(text)));
  const hashes = await Promise.all(expected.map(([file]) => hashFile(join(weights, file)).catch(() => 'missing')));
  const wrong = expected.filter(([, sha256], index) => hashes[index] !== sha256).map(([file]) => file);
  if (wrong.length > 0) return bad(name, `not as shipped: ${wrong.join(', ')}`, reinstall);
  return good(name, `${expected.length} files as shipped`);
};

const blazepose = join(projectFolder, 'node_modules', '@mediapipe', 'pose');
const blazeposeFiles = ['pose_solution_packed_assets.data', 'pose_landmark_full.tflite'];

const checkBlazepose = (): Finding => {
  const missing = blazeposeFiles.filter(file => !existsSync(join(blazepose, file)));
  if (missing.length === 0) return good('blazepose', '@mediapipe/pose is installed');
  return bad('blazepose', `${missing.join(', ')} missing; needed for photos`, 'npm ci');
};

const checkStore = async (): Promise<Finding> => {
  try {
    await mkdir(process.env.POSETWIN_STORE ?? '.posetwin/store', { recursive: true });
    return good('store', 'this folder can be written to');
  } catch (cause) {
    return bad('store', toPosetwinError(cause).message, 'run in a folder of your own, or set POSETWIN_STORE');
  }
};

/** Datasets are no part of this machine's health: where to get them is told on request, and at once. */
const tellDatasets = (json: boolean): number => {
  console.log(json ? JSON.stringify({ datasets: datasetGuides }, null, 2) : describeGuides());
  return exitCodes.done;
};

/**
 * `posetwin doctor`: what this machine has and lacks, each lack with its fix. Answers 0, or 3 when something is missing.
 * With `datasets` how to get MPII, COCO and others instead, each with its licence; answers 0.
 */
export const doctor = async ({ json, datasets }: { json: boolean; datasets: boolean }): Promise<number> => {
  if (datasets) return tellDatasets(json);
  const findings = [
    checkNode(),
    ...(await checkPython()),
    await checkDisk(),
    await checkStore(),
    await checkMiniWeights(),
    checkBlazepose(),
  ];
  const ok = findings.every(finding => finding.ok);
  if (json) console.log(JSON.stringify({ ok, findings }, null, 2));
  else {
    for (const finding of findings) print(finding);
    console.log('       MPII, COCO, Cricket Shots, Yoga Posture, Human-Art: posetwin doctor --datasets');
  }
  return ok ? exitCodes.done : exitCodes.failed;
};

const print = ({ name, ok, detail, fix }: Finding): void => {
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name.padEnd(12)} ${detail}`);
  if (!ok) console.log(`       fix: ${fix}`);
};
