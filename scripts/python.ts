/** Runs Python with the project's environment, made when needed: `tsx scripts/python.ts -m posetwin.mini.train`. */
import { $ } from 'zx';
import { ensurePython } from '../orchestrator/processes/python-setup.ts';

const { python, pythonPath } = await ensurePython({ onProgress: line => console.error(line) });
const env = { ...process.env, PYTHONPATH: pythonPath };
const { exitCode } = await $({ stdio: 'inherit', nothrow: true, env })`${python} ${process.argv.slice(2)}`;
process.exitCode = exitCode ?? 1;
