import { describe, expect, it } from 'vitest';
import {
  compareStages,
  compareSurroundings,
  plannedStages,
  sharedStages,
  surroundingsOf,
} from '../../../orchestrator/commands/run-facts.ts';
import { plan, prints } from '../plan/experiment.ts';

const before = plannedStages(plan());

describe('two plans', () => {
  it('of one experiment do not differ, also where one starts over', () => {
    const again = plannedStages(plan({}, { salt: 'fresh 1' }));
    expect(compareStages(before, again, { withSpecs: true })).toEqual([]);
    expect(sharedStages(before, again)).toEqual([]);
    expect(sharedStages(before, before)).toHaveLength(before.length);
  });

  it('name the root of a difference, not the keys that follow from it', () => {
    const other = plannedStages(plan({}, { prints: { ...prints, detector: 'd2' } }));
    expect(compareStages(before, other, { withSpecs: true })).toEqual(
      ['train', 'baseline', 'evaluate', 'audit', 'figures'].map(stage => ({
        ...{ path: `${stage}.inputs.detector`, before: 'd', after: 'd2' },
      })),
    );
    expect(sharedStages(before, other)).toEqual(['assemble', 'cache', 'features']);
  });

  it('differ where a stage computes something else by now', () => {
    const bumped = before.map(stage => (stage.name === 'train' ? { ...stage, version: stage.version + 1 } : stage));
    expect(compareStages(before, bumped, { withSpecs: true })).toMatchObject([{ path: 'train.version' }]);
    const told = before.map(stage => (stage.name === 'assemble' ? { ...stage, spec: { seed: 5 } } : stage));
    expect(compareStages(before, told, { withSpecs: false })).toEqual([]);
    const paths = compareStages(before, told, { withSpecs: true }).map(({ path }) => path);
    expect(paths).toContain('assemble.spec.seed');
  });
});

describe('surroundings', () => {
  const recorded = {
    ...{ git: null, code_digest: 'c', node: 'v20', hostname: 'here', platform: 'linux', cores: 2, memory_mb: 8 },
  };
  const environment = {
    python: '3.11.7',
    packages: { torch: '2.6.0' },
    devices: [{ name: 'H200', kind: 'cuda' as const, memory_mb: 1 }],
  };

  it('differ in machine, versions and devices', () => {
    const mine = surroundingsOf(recorded, environment, 'cpu');
    const theirs = surroundingsOf(
      { ...recorded, hostname: 'there', node: 'v22' },
      { ...environment, devices: [] },
      'cpu',
    );
    expect(compareSurroundings(mine, theirs)).toEqual({
      differences: [
        { path: 'versions.node', before: 'v20', after: 'v22' },
        { path: 'machine.hostname', before: 'here', after: 'there' },
        { path: 'devices', before: ['cuda: H200'], after: [] },
      ],
      unknown: [],
    });
  });

  it('that nobody has recorded are told as unknown, not as different', () => {
    const unknown = surroundingsOf(undefined, undefined, null);
    const compared = compareSurroundings(unknown, surroundingsOf(recorded, environment, 'cpu'));
    expect(compared.differences).toEqual([]);
    expect(compared.unknown).toEqual(['code', 'versions', 'machine', 'devices', 'trained_on']);
  });
});
