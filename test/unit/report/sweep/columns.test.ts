import { describe, expect, it } from 'vitest';
import { columnsOf, formatCsv, rowsOf } from '../../../../orchestrator/report/sweep/columns.ts';
import { failed, record } from './records.ts';

const trials = [
  record({ assignment: { schedule: { config: 'linear', num_steps: 8 }, 'method.q': 'paper', seed: 3 }, seed: 3 }),
  failed('out_of_memory', { id: '5e6f7a8b', assignment: { 'method.q': 30, note: 'a "b", c' } }),
];
const columns = columnsOf(trials);
const column = (name: string) => columns.find(known => known.name === name);

describe('exported columns', () => {
  it('begin with the id and the axes, each name once', () => {
    const names = columns.map(({ name }) => name);
    expect(names.slice(0, 5)).toEqual(['id', 'schedule', 'method.q', 'note', 'seed']);
    expect(new Set(names).size).toBe(names.length);
  });

  it('are of one type each, a mixed axis of texts', () => {
    expect(column('schedule')).toMatchObject({ type: 'string', values: ['{"config":"linear","num_steps":8}', null] });
    expect(column('method.q')).toMatchObject({ type: 'string', values: ['paper', '30'] });
    expect(column('num_pairs')).toMatchObject({ type: 'integer', values: [3, null] });
    expect(column('converged')).toMatchObject({ type: 'boolean', values: [true, null] });
    expect(column('keypoint_error_ratio_low')).toMatchObject({ type: 'number', values: [0.5, null] });
  });

  it('are rows with a null where there is no value', () => {
    expect(rowsOf(columns)).toMatchObject([
      { id: '1a2b3c4d', seed: 3, state: 'done', code: null, achieved_to_delta_l: 1.5, train_seconds: 61 },
      { id: '5e6f7a8b', seed: 0, state: 'failed', code: 'out_of_memory', achieved_to_delta_l: null, trained: false },
    ]);
  });

  it('are CSV as RFC 4180 has it', () => {
    const few = columns.filter(({ name }) => ['id', 'note', 'seed', 'converged'].includes(name));
    expect(formatCsv(few)).toBe('id,note,seed,converged\r\n1a2b3c4d,,3,true\r\n5e6f7a8b,"a ""b"", c",0,\r\n');
  });
});
