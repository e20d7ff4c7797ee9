import { describe, expect, it } from 'vitest';
import { checkPlan } from '../../../orchestrator/plan/check.ts';
import { settings } from '../../../scripts/claim/settings.ts';
import { experimentOf } from '../config/workspace.ts';

describe('what `npm run claim` compares', () => {
  it('has a name of its own for every setting', () => {
    expect(new Set(settings.map(({ name }) => name)).size).toBe(settings.length);
  });

  it.each(settings)('$name is the quickstart with that objective and weight', ({ set, name, objective }) => {
    const experiment = experimentOf('experiments/quickstart.yaml', ...set, `name=claim-${name}`);
    expect(checkPlan(experiment)).toEqual([]);
    expect(experiment.method.objective).toBe(objective);
  });
});
