/**
 * `npm test`: everything that CI runs. `npm run check` (`--quick`): the same without integration tests.
 * `npm run test:method` (`--method`): what proves the equations. `npm run test:faults` (`--faults`): resuming, wherever a
 * run breaks off, and damaged checkpoints.
 * Makes the Python environment when needed; the last line is `N passed, N failed`.
 */
import { randomInt } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { $, argv } from 'zx';
import { ensurePython } from '../orchestrator/processes/python-setup.ts';
import { type Check, pytestCheck, staticChecks, vitestCheck } from './checks.ts';

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

interface Selection {
  /** types, lint, format, generated files */
  statics: boolean;
  vitest: string[];
  pytest: string[];
}

const selections: Record<'all' | 'quick' | 'method' | 'faults', Selection> = {
  all: { statics: true, vitest: [], pytest: ['test/python'] },
  quick: { statics: true, vitest: ['test/unit', 'test/contract', 'test/codebase'], pytest: ['test/python'] },
  // Schedules, loss terms, gradients, readings, convergence and audit, in both languages.
  method: {
    statics: false,
    vitest: ['test/unit/schedule', 'test/unit/losses', 'test/unit/convergence', 'test/integration/loss.test.ts'],
    pytest: [
      'test/python/test_schedule.py',
      'test/python/losses',
      'test/python/training/test_gradient_gate.py',
      'test/python/training/test_readings.py',
      'test/python/training/test_audit.py',
      'test/python/training/test_reference_curves.py',
    ],
  },
  faults: {
    statics: false,
    vitest: ['test/unit/processes', 'test/integration/processes.test.ts', 'test/integration/faults.test.ts'],
    pytest: [
      '-m=faults or not faults',
      'test/python/test_watchdog.py',
      'test/python/training/test_checkpoints.py',
      'test/python/training/test_faults.py',
      'test/python/training/test_ranks.py',
      'test/python/training/test_resume.py',
    ],
  },
};

/** Of what tests choose by chance; given again in the environment, it repeats a failure. */
const seed = process.env.POSETWIN_TEST_SEED ?? String(randomInt(2 ** 32));
const environment = {
  ...process.env,
  OMP_NUM_THREADS: '1',
  HF_HUB_OFFLINE: '1',
  TRANSFORMERS_OFFLINE: '1',
  POSETWIN_TEST_SEED: seed,
  ...(argv.faults ? { POSETWIN_FAULTS: 'all' } : {}),
};

const run = async ({ name, command, args }: Check): Promise<boolean> => {
  const started = Date.now();
  const env = environment;
  const { exitCode } = await $({ stdio: 'inherit', nothrow: true, env })`${command} ${args}`;
  console.log(`${exitCode === 0 ? 'ok' : 'FAILED'}  ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  return exitCode === 0;
};

const readVitest = async (file: string): Promise<Counts> => {
  const { numPassedTests, numFailedTests, numPendingTests, testResults } = JSON.parse(await readFile(file, 'utf8'));
  const brokenFiles = testResults.filter(
    (r: { status: string; assertionResults: unknown[] }) => r.status === 'failed' && r.assertionResults.length === 0,
  );
  for (const result of testResults)
    for (const test of result.assertionResults)
      if (test.status !== 'passed' && test.status !== 'failed') console.log(`skipped  ${test.fullName}`);
  return { passed: numPassedTests, failed: numFailedTests + brokenFiles.length, skipped: numPendingTests };
};

const readJunit = async (file: string): Promise<Counts> => {
  const suite = /<testsuite [^>]*>/.exec(await readFile(file, 'utf8'))?.[0] ?? '';
  const count = (name: string) => Number(new RegExp(`${name}="(\\d+)"`).exec(suite)?.[1] ?? Number.NaN);
  const failed = count('failures') + count('errors');
  return { passed: count('tests') - failed - count('skipped'), failed, skipped: count('skipped') };
};

/** A runner that crashed before it could report is one failure, never a silent zero. */
const counted = async (check: Check, read: () => Promise<Counts>): Promise<Counts> => {
  const ok = await run(check);
  const counts = await read().catch(() => ({ passed: 0, failed: 1, skipped: 0 }));
  return ok || counts.failed > 0 ? counts : { ...counts, failed: 1 };
};

const main = async (): Promise<number> => {
  const chosen = (['quick', 'method', 'faults'] as const).find(option => argv[option]) ?? 'all';
  const { statics, vitest, pytest } = selections[chosen];
  const { python } = await ensurePython({ onProgress: line => console.log(line) });
  const folder = await mkdtemp(join(tmpdir(), 'posetwin-test-'));
  const total: Counts = { passed: 0, failed: 0, skipped: 0 };
  const add = (counts: Counts) => {
    for (const key of ['passed', 'failed', 'skipped'] as const) total[key] += counts[key];
  };
  for (const check of statics ? staticChecks(python) : []) {
    const ok = await run(check);
    add({ passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 });
  }
  const [json, junit] = [join(folder, 'vitest.json'), join(folder, 'pytest.xml')];
  add(await counted(vitestCheck(vitest, json), () => readVitest(json)));
  add(await counted(pytestCheck(python, pytest, junit), () => readJunit(junit)));
  await rm(folder, { recursive: true, force: true });
  console.log(`POSETWIN_TEST_SEED=${seed}`);
  if (statics) console.log('a few of the faults were tested: npm run test:faults has all of them');
  if (total.skipped > 0) console.log(`${total.skipped} skipped, each named above`);
  console.log(`${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 ? 0 : 1;
};

process.exitCode = await main();
