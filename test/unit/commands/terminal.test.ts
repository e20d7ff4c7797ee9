import { describe, expect, it } from 'vitest';
import { formatBytes, formatDuration, formatTable } from '../../../orchestrator/commands/table.ts';
import { type Screen, Terminal } from '../../../orchestrator/commands/terminal.ts';
import type { WorkerEvent } from '../../../orchestrator/contracts/events.ts';
import type { PipelineEvent } from '../../../orchestrator/stages/events.ts';
import { stepEvent, visitAt } from './step-event.ts';

/** A screen whose clock stands until it is set, and that keeps what is written. */
const fakeScreen = (isTTY: boolean): Screen & { text: string; time: number } => ({
  text: '',
  time: 0,
  isTTY,
  columns: 200,
  write(text) {
    this.text += text;
  },
  now() {
    return this.time;
  },
});

const started: PipelineEvent = { type: 'stage', stage: 'train', key: 'abc', state: 'started', seconds: 0 };
const step = (n: number, time: number): PipelineEvent => ({
  type: 'worker',
  stage: 'train',
  event: stepEvent(n, 0.5, time),
});

describe('the terminal', () => {
  it('writes plain lines where it cannot redraw, one every few seconds at most', () => {
    const screen = fakeScreen(false);
    const terminal = new Terminal(screen, { train: 100 });
    terminal.show(started);
    for (let n = 1; n <= 40; n += 1) {
      screen.time = n * 250;
      terminal.show(step(n, n));
    }
    const lines = screen.text.trimEnd().split('\n');
    expect(lines[0]).toContain('train');
    expect(lines.slice(1)).toHaveLength(2);
    expect(lines[1]).toContain('20/100 steps');
    expect(lines[1]).toContain('L_t 0.500');
    // 19 steps took 19 s; 80 are left.
    expect(lines[1]).toContain('1 min 20 s left');
    expect(screen.text).not.toContain('\x1b');
  });

  it('redraws one line on a terminal and clears it before the next message', () => {
    const screen = fakeScreen(true);
    const terminal = new Terminal(screen, { train: 100 });
    terminal.show(started);
    screen.time = 1000;
    terminal.show(step(50, 1));
    expect(screen.text).toContain('[############------------] 50/100 steps');
    expect(screen.text.endsWith('\n')).toBe(false);
    terminal.show({ type: 'note', message: 'said above' });
    expect(screen.text.endsWith('\r\x1b[Ksaid above\n')).toBe(true);
  });

  it('shows the last visit of a step that goes through every t', () => {
    const screen = fakeScreen(false);
    const terminal = new Terminal(screen, { train: 100 });
    terminal.show(started);
    screen.time = 6000;
    const visits = [visitAt(2, 0.25), visitAt(1, 0.75)];
    terminal.show({ type: 'worker', stage: 'train', event: stepEvent(7, 0.5, 7, visits) });
    expect(screen.text).toContain('7/100 steps  t 1  L_t 0.750  target_pose 0.00750  pose_residual 0.0150');
    screen.time = 12_000;
    terminal.show({ type: 'worker', stage: 'train', event: stepEvent(8, 0.5, 8, [visitAt(3, null)]) });
    expect(screen.text).toContain('t 3  L_t not finite  target_pose not finite');
  });

  it('counts the steps of each stage to its own end', () => {
    const screen = fakeScreen(false);
    const terminal = new Terminal(screen, { primary: 40, train: 100 });
    terminal.show({ ...started, stage: 'primary' });
    screen.time = 6000;
    const numbers = { t: 3, primary_noise: 0.2, grad_norm: 1, learning_rate: 1e-4, duration_ms: 5 };
    terminal.show({ type: 'worker', stage: 'primary', event: { type: 'primary_step', time: 1, step: 10, ...numbers } });
    expect(screen.text).toContain('primary   [######------------------] 10/40 steps');
    terminal.show(started);
    screen.time = 12_000;
    terminal.show(step(50, 1));
    expect(screen.text).toContain('train     [############------------] 50/100 steps');
  });

  it('counts what a worker tells where nobody gave the number of steps', () => {
    const screen = fakeScreen(false);
    const terminal = new Terminal(screen);
    terminal.show({ ...started, stage: 'audit' });
    screen.time = 6000;
    terminal.show({
      type: 'worker',
      stage: 'audit',
      event: { type: 'progress', time: 1, done: 8, total: 32, unit: 'pairs' },
    });
    expect(screen.text).toContain('audit     [######------------------] 8/32 pairs');
  });

  it('draws nothing for the gradients and the self-test, which are for the audit', () => {
    const screen = fakeScreen(true);
    const terminal = new Terminal(screen);
    terminal.show(started);
    const before = screen.text;
    screen.time = 6000;
    const gate = { term: 'target_pose', t: 1, gradient: 1, finite_difference: 1, verdict: 'passes' } as const;
    terminal.show({ type: 'worker', stage: 'train', event: { type: 'gradient_gate', time: 1, ...gate } });
    const sides = { step: 0, t: 1, noise_norm: 1, pose_norm: 1, cosine: 0 };
    terminal.show({ type: 'worker', stage: 'train', event: { type: 'gradients', time: 1, ...sides } });
    expect(screen.text).toBe(before);
  });

  it('tells in a line each what a training sees between its steps', () => {
    const screen = fakeScreen(false);
    const terminal = new Terminal(screen);
    const events: WorkerEvent[] = [
      { type: 'smoke', time: 1, num_samples: [2, 3], duration_ms: 1500, peak_memory_bytes: 2.5e9 },
      { type: 'validation', time: 1, step: 50, num_pairs: 4, objective: 0.0123, terms: {}, best: true },
      { type: 'validation', time: 1, step: 100, num_pairs: 4, objective: null, terms: {}, best: false },
      { type: 'samples', time: 1, step: 50, path: '/store/train/ab.partial/samples/step-000050' },
      { type: 'loss_scale', time: 1, step: 7, loss_scale: 32768, skipped: true },
      { type: 'loss_scale', time: 1, step: 2000, loss_scale: 65536, skipped: false },
    ];
    for (const event of events) terminal.show({ type: 'worker', stage: 'train', event });
    expect(screen.text.trimEnd().split('\n')).toEqual([
      'train: two passes of 2 and 3 samples fit: 1.50 s a step, at most 2.5 GB',
      'train: step 50: held-out objective 0.0123, the best so far',
      'train: step 100: held-out objective not finite',
      'train: step 50: pictures in samples/step-000050',
      'train: step 7 overflows in fp16: the loss scale is 32768 now',
    ]);
  });

  it('lists what changed since the last run of the same name', () => {
    const screen = fakeScreen(false);
    const run = { type: 'run', name: 'x', id: '12', folder: 'runs/x/12', changes: ['seed: 0 -> 1'] } as const;
    new Terminal(screen).show({ ...run, changes: [...run.changes] });
    expect(screen.text).toBe('run x/12 in runs/x/12\nchanged since the last run of x:\n  seed: 0 -> 1\n');
  });
});

describe('numbers for people', () => {
  it('are short', () => {
    expect([0, 999, 1000, 12_345_678].map(formatBytes)).toEqual(['0 B', '999 B', '1.0 kB', '12.3 MB']);
    expect([3.21, 59.4, 200, 7500].map(formatDuration)).toEqual(['3.2 s', '59 s', '3 min 20 s', '2 h 5 min']);
    const rows = [
      ['a', 'long'],
      ['wider', 'b'],
    ];
    expect(formatTable(rows)).toBe('a      long\nwider  b');
  });
});
