import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { isAlive } from '../../orchestrator/processes/process-table.ts';
import { ensurePython, type PythonSetup } from '../../orchestrator/processes/python-setup.ts';
import { type RunningWorker, startWorker, type WorkerOptions } from '../../orchestrator/processes/torchrun.ts';

const time = z.number();
const Event = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('value'), time, value: z.number().nullable(), text: z.string().optional() }),
  z.strictObject({ type: z.literal('ready'), time, pids: z.array(z.int()) }),
  z.looseObject({ type: z.literal('error'), time, rank: z.int() }),
]);
type Event = z.output<typeof Event>;
type Options = WorkerOptions<Event>;

let setup: PythonSetup;
let folder: string;

beforeAll(async () => {
  setup = await ensurePython();
  folder = await mkdtemp(join(tmpdir(), 'posetwin-processes-'));
});
afterAll(() => rm(folder, { recursive: true }));

const writeJob = async (stage: string): Promise<{ job: string; log_dir: string }> => {
  const log_dir = await mkdtemp(join(folder, `${stage}-`));
  await mkdir(join(log_dir, 'pids'));
  const job = join(log_dir, 'job.json');
  await writeFile(job, JSON.stringify({ stage, folder: join(log_dir, 'pids') }));
  return { job, log_dir };
};

const command = async (stage: string, nproc: number) => {
  const { job, log_dir } = await writeJob(stage);
  const pythonPath = [setup.pythonPath, resolve('test/fixtures/python')].join(delimiter);
  return { python: setup.python, pythonPath, module: 'worker_fixture', args: [job], nproc, log_dir };
};

interface Launch {
  worker: RunningWorker;
  events: Event[];
  /** the pids of all ranks, once all of them are in their stage */
  ready: Promise<number[]>;
}

const launch = async (stage: string, nproc = 1, extra: Partial<Options> = {}): Promise<Launch> => {
  const events: Event[] = [];
  const gathered = new EventEmitter();
  const tell = (event: Event): void => {
    events.push(event);
    if (event.type === 'ready') gathered.emit('ready', event.pids);
  };
  const gathering = once(gathered, 'ready').then(([pids]) => z.array(z.int()).parse(pids));
  const worker = startWorker({ ...(await command(stage, nproc)), eventSchema: Event, onEvent: tell, ...extra });
  const ended = worker.exit.then(() => Promise.reject(new Error('ended before it was ready')));
  const ready = Promise.race([gathering, ended]);
  ready.catch(() => undefined);
  return { worker, events, ready };
};

const waitUntilGone = async (pids: readonly number[]): Promise<void> => {
  const deadline = Date.now() + 10_000;
  while (pids.some(isAlive) && Date.now() < deadline) await delay(20);
  expect(pids.filter(isAlive)).toEqual([]);
};

describe('a single worker', () => {
  it('hands its events over in order, with a time and null for NaN', async () => {
    const { worker, events } = await launch('ok');
    expect(await worker.exit).toMatchObject({ outcome: 'finished', exit_code: 0, signal: null });
    expect(events).toMatchObject([{ value: 0.5 }, { value: null }]);
  });

  it('keeps prints of its own and of its children out of the events and in the log', async () => {
    const { worker, events } = await launch('prints');
    const { log } = await worker.exit;
    expect(events).toMatchObject([{ type: 'value', text: 'line\nbreak' }]);
    expect(readFileSync(log, 'utf8')).toMatch(/looks like an event.*noise of a child/s);
  });

  it('fails with worker_failed, the traceback and the log when its stage raises', async () => {
    const { worker, events } = await launch('raises');
    await expect(worker.exit).rejects.toMatchObject({
      code: 'worker_failed',
      message: 'ValueError: synthetic',
      details: { traceback: expect.stringContaining('worker_fixture.py'), log: worker.log },
    });
    expect(events).toMatchObject([{ type: 'error', rank: 0 }]);
  });

  it('fails with out_of_memory and a hint when memory runs out', async () => {
    const { worker } = await launch('lacks_memory');
    const failure = { code: 'out_of_memory', hint: expect.any(String) };
    await expect(worker.exit).rejects.toMatchObject(failure);
  });

  it.each([
    ['exits', 'exit code 42'],
    ['is_killed', 'SIGKILL'],
    ['segfaults', 'SIGSEGV'],
  ])('fails with worker_died when it %s', async (stage, how) => {
    const { worker } = await launch(stage);
    const failure = { code: 'worker_died', message: expect.stringContaining(how), class: 'worker_died' };
    await expect(worker.exit).rejects.toMatchObject(failure);
  });

  it('fails with worker_failed when its job cannot be read', async () => {
    const { worker } = await launch('ok', 1, { args: [join(folder, 'no-such-job.json')] });
    await expect(worker.exit).rejects.toMatchObject({ code: 'worker_failed' });
  });

  it('fails with contract_violation naming the line, and is ended, when an event is none', async () => {
    const { worker } = await launch('breaks_contract');
    const failure = { code: 'contract_violation', message: expect.stringContaining('unheard_of') };
    await expect(worker.exit).rejects.toMatchObject(failure);
    await waitUntilGone([worker.pid ?? 0]);
  });

  it('is ended when an event cannot be handled', async () => {
    const { worker } = await launch('waits', 1, { onEvent: () => Promise.reject(new RangeError('full')) });
    await expect(worker.exit).rejects.toMatchObject({ code: 'bug', message: 'full' });
    await waitUntilGone([worker.pid ?? 0]);
  });

  it('fails with no_python when the interpreter is missing', async () => {
    const { worker } = await launch('ok', 1, { python: '/no/such/python' });
    await expect(worker.exit).rejects.toMatchObject({ code: 'no_python' });
  });

  it('stops at its next step when it is asked to, once or more', async () => {
    const { worker, events, ready } = await launch('waits');
    await ready;
    worker.stop();
    worker.stop();
    expect(await worker.exit).toMatchObject({ outcome: 'stopped', exit_code: 0 });
    expect(events.at(-1)).toMatchObject({ type: 'value', value: 1 });
  });

  it('counts as stopped when it is asked before it can listen', async () => {
    const { worker } = await launch('waits', 1, { signal: AbortSignal.abort() });
    expect(await worker.exit).toMatchObject({ outcome: 'stopped' });
  });

  it('is killed when it does not stop in time, and at once on kill', async () => {
    const { worker, ready } = await launch('ignores_stop', 1, { graceMs: 100 });
    await ready;
    worker.stop();
    expect(await worker.exit).toMatchObject({ outcome: 'killed', signal: 'SIGKILL' });
    const second = await launch('ignores_stop');
    await second.ready;
    second.worker.kill();
    expect(await second.worker.exit).toMatchObject({ outcome: 'killed' });
  });

  it('leaves no child of its own alive, in whatever session', async () => {
    const { worker, ready } = await launch('leaves_child');
    await worker.exit;
    await waitUntilGone(await ready);
  });

  it('is in a session of its own, out of reach of Ctrl-C in the terminal', async () => {
    const { worker, ready } = await launch('waits');
    await ready;
    const group = readFileSync(`/proc/${worker.pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[2];
    expect(Number(group)).toBe(worker.pid);
    worker.kill();
    await worker.exit;
  });
});

describe('two ranks under torchrun', () => {
  it('stop both and count as stopped', async () => {
    const { worker, events, ready } = await launch('waits', 2);
    expect(await ready).toHaveLength(2);
    worker.stop();
    expect(await worker.exit).toMatchObject({ outcome: 'stopped', exit_code: 0 });
    expect(events.at(-1)).toMatchObject({ type: 'value' });
  });

  it("fail with the first failing rank's own code and traceback", async () => {
    const { worker } = await launch('last_rank_raises', 2);
    await expect(worker.exit).rejects.toMatchObject({
      code: 'diverged',
      message: 'rank 1: the loss is not a number',
      hint: 'lower the learning rate',
      details: { traceback: expect.stringContaining('last_rank_raises') },
    });
  });

  it('fail with worker_died naming signal and rank when one is killed, and leave none alive', async () => {
    const { worker, ready } = await launch('waits', 2);
    const pids = await ready;
    process.kill(pids[1] ?? 0, 'SIGKILL');
    const failure = { code: 'worker_died', message: 'rank 1: the worker was ended by SIGKILL' };
    await expect(worker.exit).rejects.toMatchObject(failure);
    await waitUntilGone(pids);
  });

  it('end with a killed torchrun', async () => {
    const { worker, ready } = await launch('ignores_stop', 2);
    const pids = await ready;
    process.kill(worker.pid ?? 0, 'SIGKILL');
    await expect(worker.exit).rejects.toMatchObject({
      code: 'worker_died',
      message: expect.stringContaining('SIGKILL'),
    });
    await waitUntilGone(pids);
  });
});

describe('a worker that srun starts', () => {
  it('hands over its events, and logs the pieces of lines that srun has mixed up', async () => {
    const srun = join(folder, 'srun');
    const skipOptions = 'while case "$1" in --*) ;; *) false ;; esac; do shift; done';
    await writeFile(srun, `#!/bin/sh\necho '{"type":"error","tra{"type":'\n${skipOptions}\nexec "$@"\n`);
    await chmod(srun, 0o755);
    const env = { PATH: [folder, process.env.PATH].join(delimiter) };
    const { worker, events } = await launch('ok', 1, { nodes: { nnodes: 1, endpoint: '', id: '' }, env });
    const { outcome, log } = await worker.exit;
    expect(outcome).toBe('finished');
    expect(events).toMatchObject([{ value: 0.5 }, { value: null }]);
    expect(readFileSync(log, 'utf8')).toContain('"tra{"type"');
  });
});

describe('a killed orchestrator', () => {
  const orchestrate = async (nproc: number): Promise<ChildProcess> => {
    const options = JSON.stringify(await command('ignores_stop', nproc));
    return spawn(process.execPath, ['--import', 'tsx', 'test/fixtures/launch.ts', options], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  };

  it.each([1, 2])('leaves nothing alive of a launch of %d', async nproc => {
    const orchestrator = await orchestrate(nproc);
    if (orchestrator.stdout === null) throw new Error('no standard output');
    const [line] = await once(createInterface(orchestrator.stdout), 'line');
    const { pids } = z.object({ pids: z.array(z.int()) }).parse(JSON.parse(line));
    expect(pids.filter(isAlive)).toHaveLength(nproc);
    orchestrator.kill('SIGKILL');
    await waitUntilGone(pids);
  });
});
