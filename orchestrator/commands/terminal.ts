import type { StageName } from '../plan/versions.ts';
import type { PipelineEvent } from '../stages/events.ts';
import { describeLookout, StageMeter } from './progress.ts';
import { formatDuration } from './table.ts';

/** Where lines go: a terminal that can redraw one line, a file or pipe that cannot, or JSON for a program. */
export interface Screen {
  write(text: string): void;
  isTTY: boolean;
  columns: number;
  /** milliseconds, for the pace of plain lines */
  now(): number;
}

export const standardError = (): Screen => ({
  write: text => process.stderr.write(text),
  isTTY: process.stderr.isTTY === true && process.env.CI === undefined,
  columns: process.stderr.columns ?? 120,
  now: () => performance.now(),
});

/** How many steps a stage has, where its own events do not tell. */
export type TotalSteps = Partial<Record<StageName, number>>;

const plainEveryMs = 5000;
const redrawEveryMs = 100;

type StageEvent = Extract<PipelineEvent, { type: 'stage' }>;

const describeStage = ({ stage, key, state, seconds }: StageEvent): string => {
  const took = state === 'finished' ? `done in ${formatDuration(seconds)}` : state;
  return `${stage.padEnd(9)} ${took}${state === 'cached' ? ` (${key})` : ''}`;
};

/** Draws a run's events: on a terminal one moving line for the stage at work, else a plain line every few seconds. */
export class Terminal {
  private readonly screen: Screen;
  private readonly totalSteps: TotalSteps;
  private meter = new StageMeter();
  private drawn = Number.NEGATIVE_INFINITY;
  private isLineOpen = false;

  constructor(screen: Screen, totalSteps: TotalSteps = {}) {
    this.screen = screen;
    this.totalSteps = totalSteps;
  }

  show(event: PipelineEvent): void {
    if (event.type === 'worker') this.showWorker(event.stage, event.event);
    else if (event.type === 'stage') this.showStage(event);
    else if (event.type === 'setup') this.line(`set-up: ${event.line}`);
    else if (event.type === 'note') this.line(event.message);
    else if (event.type === 'run') this.showRun(event);
    else if (event.decision.decision === 'stop')
      this.line(`stop at step ${event.decision.step}: ${event.decision.reason}`);
  }

  /** A whole line, above the moving one. */
  line(text: string): void {
    this.clear();
    this.screen.write(`${text}\n`);
  }

  private showRun({ name, id, folder, changes }: Extract<PipelineEvent, { type: 'run' }>): void {
    this.line(`run ${name}/${id} in ${folder}`);
    if (changes.length > 0) this.line(`changed since the last run of ${name}:`);
    for (const change of changes) this.line(`  ${change}`);
  }

  private showStage(event: StageEvent): void {
    this.meter = new StageMeter(this.totalSteps[event.stage]);
    this.drawn = this.screen.now();
    this.line(describeStage(event));
  }

  private showWorker(stage: string, event: Extract<PipelineEvent, { type: 'worker' }>['event']): void {
    if (event.type === 'warning') this.line(`${stage}: warning ${event.code}: ${event.message}`);
    if (event.type === 'checkpoint_skipped') this.line(`${stage}: ${event.path} is not used: ${event.reason}`);
    if (event.type === 'started' && event.resumed_from > 0)
      this.line(`${stage} goes on from step ${event.resumed_from}`);
    const told = describeLookout(event);
    if (told !== undefined) this.line(`${stage}: ${told}`);
    if (this.meter.add(event)) this.draw(stage);
  }

  private draw(stage: string): void {
    const { screen } = this;
    if (screen.now() - this.drawn < (screen.isTTY ? redrawEveryMs : plainEveryMs)) return;
    this.drawn = screen.now();
    const text = `${stage.padEnd(9)} ${this.meter.describe()}`;
    if (!screen.isTTY) this.line(text);
    else this.redraw(text);
  }

  private redraw(text: string): void {
    this.clear();
    this.screen.write(text.slice(0, this.screen.columns - 1));
    this.isLineOpen = true;
  }

  private clear(): void {
    if (this.isLineOpen) this.screen.write('\r\x1b[K');
    this.isLineOpen = false;
  }
}
