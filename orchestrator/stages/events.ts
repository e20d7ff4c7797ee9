import type { Decision, WorkerEvent } from '../contracts/events.ts';
import type { StageName } from '../plan/versions.ts';

export type StageProgress = 'cached' | 'started' | 'resumed' | 'finished';

/** What a run tells while it goes on: the terminal draws it, `--json` prints it, log.txt keeps it. */
export type PipelineEvent =
  | { type: 'run'; name: string; id: string; folder: string; changes: string[] }
  | { type: 'setup'; line: string }
  | { type: 'stage'; stage: StageName; key: string; state: StageProgress; seconds: number }
  | { type: 'worker'; stage: StageName | 'sample'; event: WorkerEvent }
  | { type: 'decision'; stage: StageName; decision: Decision }
  | { type: 'note'; message: string };

export type Emit = (event: PipelineEvent) => void;
