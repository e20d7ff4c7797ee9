/** The static checks and the two test runners, as data: `npm run check` and `npm test` choose from them. */
export interface Check {
  name: string;
  command: string;
  args: string[];
}

const vitest = (...paths: string[]) => ['vitest', 'run', '--reporter=default', ...paths];

export const staticChecks = (python: string): Check[] => [
  { name: 'types', command: 'npx', args: ['tsc', '-p', '.'] },
  { name: 'lint and format, TypeScript', command: 'npx', args: ['biome', 'check', '--error-on-warnings'] },
  { name: 'lint, Python', command: python, args: ['-m', 'ruff', 'check', 'python', 'test', 'scripts'] },
  { name: 'format, Python', command: python, args: ['-m', 'ruff', 'format', '--check', 'python', 'test', 'scripts'] },
  { name: 'types, Python', command: python, args: ['-m', 'pyright', '--pythonpath', python] },
  { name: 'generated files are fresh', command: 'npx', args: ['tsx', 'scripts/generate.ts', '--check'] },
];

/** Vitest over `paths`; counts are read from the JSON file. */
export const vitestCheck = (paths: string[], json: string): Check => ({
  name: 'vitest',
  command: 'npx',
  args: [...vitest(...paths), '--reporter=json', `--outputFile.json=${json}`],
});

/** More would hold more copies of torch than a laptop has memory for; whole files, for the sake of their fixtures. */
const PROCESSES = ['--numprocesses=auto', '--maxprocesses=4', '--dist=loadfile'];

/**
 * Pytest over `paths`, a file on one of at most four processes; counts are read from the JUnit file. `-rs` prints every
 * skip with its reason.
 */
export const pytestCheck = (python: string, paths: string[], junit: string): Check => ({
  name: 'pytest',
  command: python,
  args: ['-m', 'pytest', '-q', '-rs', ...PROCESSES, `--junitxml=${junit}`, ...paths],
});
