import { z } from 'zod';
import { type RunFolder, readJsonIfThere } from '../runs/index.ts';

const Mean = z.object({ mean: z.number().nullable() });
const Route = z.object({ keypoint_error_px: Mean, scene_drift: Mean.nullable().default(null) });
/** The few numbers of result.json that tables show. */
const Shown = z.object({
  summary: z.object({ primary: Route, secondary: Route }),
  verdict: z.object({ converged: z.boolean(), steps: z.int() }),
});

export interface RunNumbers {
  steps: number;
  converged: boolean;
  primary_px: number | null;
  secondary_px: number | null;
  scene_drift: number | null;
}

/** What a run has reached; undefined before its end. */
export const readNumbers = async (run: RunFolder): Promise<RunNumbers | undefined> => {
  const result = await readJsonIfThere(run.file('result.json'), Shown);
  if (result === undefined) return undefined;
  const { summary, verdict } = result;
  return {
    ...verdict,
    primary_px: summary.primary.keypoint_error_px.mean,
    secondary_px: summary.secondary.keypoint_error_px.mean,
    scene_drift: summary.secondary.scene_drift?.mean ?? null,
  };
};
