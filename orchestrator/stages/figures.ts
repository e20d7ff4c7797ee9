import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FigureResult } from '../contracts/results.ts';
import { composeFigure, figureWidth } from '../report/figure3.ts';
import { svgToPng } from '../report/raster.ts';
import { readJson, writeText } from '../runs/index.ts';
import { primaryPath } from './primary.ts';
import type { Stage } from './stage.ts';
import { runWorkerStage } from './worker-stage.ts';

/** Writes `<name>.svg` and `<name>.png` beside the pictures that they are made of. */
export const drawFigure = async (result: FigureResult, folder: string, name: string): Promise<void> => {
  const { svg } = composeFigure(result, folder);
  await writeText(join(folder, `${name}.svg`), svg);
  await writeFile(join(folder, `${name}.png`), svgToPng(svg, figureWidth));
};

/** Fig. 3: one prompt and pose by text only, the primary and the secondary adapter. */
export const figures: Stage = {
  name: 'figures',
  async run(context, folder) {
    await runWorkerStage(context, 'figures', folder, {
      inputs: { primary: primaryPath(context), train: context.store.folder(context.plan.stages.train) },
    });
    await drawFigure(await readJson(join(folder, 'result.json'), FigureResult), folder, 'fig3');
  },
};
