import { type Plateau, type PlateauOptions, plateau } from './plateau.ts';
import { type LoggedStep, lossSeries, type QByStep } from './series.ts';

export interface DecisionOptions extends PlateauOptions {
  /** stop once the loss is on a plateau */
  early_stop: boolean;
  /** never stop before this step */
  min_steps: number;
}

export interface StepDecision {
  step: number;
  decision: 'continue' | 'stop';
  reason: string;
}

const percent = (value: number): string => `${(100 * value).toPrecision(2)} %`;

const drift = ({ length, relative_change }: Plateau): string =>
  relative_change === null
    ? `over the last ${length} steps`
    : `over the last ${length} steps the loss changes by ${percent(relative_change.low)} to ${percent(relative_change.high)}`;

/**
 * Whether training goes on after a boundary. Looks at steps up to the boundary alone, so that a resumed or replayed run
 * gets the same answer. A diverged loss stops in any case.
 */
export const decide = (
  history: readonly LoggedStep[],
  boundary_step: number,
  q: QByStep,
  options: DecisionOptions,
): StepDecision => {
  const answer = (decision: StepDecision['decision'], reason: string) => ({ step: boundary_step, decision, reason });
  const found = plateau(
    lossSeries(
      history.filter(({ step }) => step <= boundary_step),
      q,
    ),
    options,
  );
  if (found.state === 'diverged') return answer('stop', `diverged: the loss is not finite or ten times its best`);
  if (!options.early_stop) return answer('continue', 'early_stop is off');
  if (boundary_step < options.min_steps) return answer('continue', `before min_steps ${options.min_steps}`);
  if (found.state === 'too_short') return answer('continue', `only ${found.length} steps to look at`);
  if (found.state === 'no') return answer('continue', `still moving: ${drift(found)}`);
  return answer('stop', `plateau: ${drift(found)}`);
};
