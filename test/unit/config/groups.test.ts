import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { groupNames, groups, packageFolder } from '../../../orchestrator/config/groups.ts';
import { checkPlan } from '../../../orchestrator/plan/check.ts';
import { experimentOf, makeWorkspace } from './workspace.ts';

const workspace = makeWorkspace();
afterAll(() => workspace.remove());

const shipped = Object.keys(groups).flatMap(group => groupNames(group).map(name => ({ group, name })));

/** What the rest of the experiment must be: the other of detector and judge, the maps that an adapter reads. */
const companion = ({ group, name }: { group: string; name: string }) => {
  if (group === 'detector') return `judge: ${name === 'mini-judge' ? 'mini' : 'mini-judge'}\n`;
  if (name === 'mini-dots') return 'dataset: { control: { style: dots } }\n';
  return group === 'judge' && name === 'mini' ? 'detector: mini-judge\n' : '';
};

describe('a shipped config', () => {
  it.each(shipped)('$group: $name is valid', ({ group, name }) => {
    const file = workspace.write({ 'x.yaml': `name: x\n${group}: ${name}\n${companion({ group, name })}` });
    expect(checkPlan(experimentOf(file))).toEqual([]);
  });

  it.each(shipped)('$group: $name opens with one line that says what it is', ({ group, name }) => {
    const text = readFileSync(join(packageFolder, 'configs', groups[group] ?? '', `${name}.yaml`), 'utf8');
    expect(text).toMatch(/^# \S.+\.\n[^#]/);
  });
});
