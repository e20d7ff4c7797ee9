import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { judge, loss } from '../../../orchestrator/commands/loss.ts';
import { compareTerm, compareValues } from '../../../orchestrator/commands/loss-compare.ts';
import { PosetwinError } from '../../../orchestrator/errors.ts';
import { probeInputs } from '../../../orchestrator/losses/probe.ts';
import { makeWorkspace, type Workspace } from '../config/workspace.ts';

let workspace: Workspace;
let out: string[];
beforeEach(() => {
  workspace = makeWorkspace();
  out = [];
  vi.spyOn(console, 'log').mockImplementation((text: string) => void out.push(text));
  // Whatever asked this interpreter would end in `no_python`.
  vi.stubEnv('POSETWIN_PYTHON', '/no/python');
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  workspace.remove();
});

const goldenFolder = 'test/golden/losses';
const goldenNames = readdirSync(goldenFolder)
  .filter(file => file.endsWith('.json'))
  .map(file => parse(file).name);
const goldenInputs = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(`${goldenFolder}/${name}.json`, 'utf8')).cases[0].inputs;

/** Code and input of the error that `text` as the inputs of `term` ends in; exit code and remedy are always there. */
const refusalOf = async (term: string, text: string): Promise<string> => {
  const inputs = workspace.write({ 'inputs.json': text });
  const error: unknown = await loss(term, { inputs, list: false, json: false }).catch((thrown: unknown) => thrown);
  if (!(error instanceof PosetwinError)) throw new Error(`${term} was not refused`);
  expect(error.hint).toBeTruthy();
  expect(error.details.traceback).toBeUndefined();
  return [error.code, error.details.path].filter(text => text !== undefined).join(' ');
};

describe('loss --list', () => {
  it('names every term with equation, formula, readings and its inputs', async () => {
    expect(await loss(undefined, { list: true, json: true })).toBe(0);
    const { terms } = JSON.parse(out.join('')) as { terms: { name: string; inputs: object; readings: string[] }[] };
    expect(terms.map(({ name }) => name).sort()).toEqual(goldenNames.sort());
    for (const term of terms) {
      expect(term).toMatchObject({ equation: expect.stringMatching(/\S/), formula: expect.stringMatching(/\S/) });
      expect(Object.keys(term.inputs).sort()).toEqual(Object.keys(goldenInputs(term.name)).sort());
    }
    expect(terms.find(({ name }) => name === 'pose_residual')?.readings).toEqual(['plain', 'absolute', 'squared']);
  });

  it('tells symbol and shape of each input as plain lines, of one term when it is named', async () => {
    expect(await loss('delta_l', { list: true, json: false })).toBe(0);
    expect(out.join('\n')).toMatch(/^delta_l {2}Eq\. 38\n/);
    expect(out.join('\n')).toMatch(/ {4}keypoints_a +a_0 = .*\(B, N, 2\)/);
  });
});

const points = '[[[0.1, 0.2], [0.3, 0.4]]]';
const keypoints = `"pred_keypoints_b": ${points}, "keypoints_b": ${points}`;
const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;

describe('loss refuses, before Python is started,', () => {
  it.each([
    ['what is not JSON', 'target_pose', '{"mask": }', 'wrong_type'],
    ['an empty file', 'target_pose', '', 'wrong_type'],
    ['a NaN, which JSON does not have', 'total', '{"losses": [NaN], "reading": "mean"}', 'wrong_type'],
    ['a list in the place of names', 'target_pose', '[1, 2]', 'wrong_type'],
    ['a missing input', 'target_pose', `{${keypoints}}`, 'wrong_type mask'],
    ['an input of another name', 'target_pose', `{${keypoints}, "mask": [[1, 1]], "masks": 1}`, 'wrong_type'],
    ['an input of another shape', 'target_pose', `{${keypoints}, "mask": [1, 1]}`, 'wrong_type mask.0'],
    ['a null that the term does not take', 'target_pose', `{${keypoints}, "mask": [[1, null]]}`, 'wrong_type mask.0.1'],
    ['a number beyond float64', 'total', '{"losses": [1e999], "reading": "mean"}', 'wrong_type losses.0'],
    ['an unknown reading', 'total', '{"losses": [1], "reading": "median"}', 'wrong_type reading'],
    [
      'rows of different lengths',
      'score_difference',
      '{"noise_pred_a": [[1], [2, 3]], "noise_pred_b": [[1], [2, 3]], "alphas_cumprod": 0.5}',
      'wrong_type noise_pred_a',
    ],
    [
      'lists nested without end',
      'score_difference',
      `{"noise_pred_a": ${deep}, "noise_pred_b": [1], "alphas_cumprod": 0.5}`,
      'wrong_type noise_pred_a',
    ],
    ['a sample without a visible keypoint', 'target_pose', `{${keypoints}, "mask": [[0, 0]]}`, 'no_visible_keypoint'],
    ['keypoints of two layouts', 'target_pose', `{${keypoints}, "mask": [[1, 1, 1]]}`, 'bad_keypoints'],
    [
      'a term that is infinite',
      'score_difference',
      '{"noise_pred_a": [1], "noise_pred_b": [2], "alphas_cumprod": 1}',
      'singular_schedule',
    ],
    ['a Q without any finite step', 'q', '{"odds": [null], "reading": "expectation"}', 'singular_schedule'],
    ['a Q per step that is infinite', 'q', '{"odds": [null, 1], "reading": "per-step"}', 'not_a_number'],
    ['a negative Q as a reading', 'q', '{"odds": [1], "reading": -2}', 'out_of_range'],
    [
      'a negative Q as an input',
      'per_step',
      '{"target_pose": [1], "pose_residual": [1], "q": [-2]}',
      'out_of_range q.0',
    ],
  ])('%s', async (_what, term, text, expected) => {
    expect(await refusalOf(term, text)).toBe(expected);
  });

  it('an unknown term, and says which was probably meant', async () => {
    const options = { inputs: 'inputs.json', list: false, json: false };
    await expect(loss('target-pose', options)).rejects.toMatchObject({
      code: 'unknown_value',
      hint: expect.stringContaining('`target_pose`'),
    });
    await expect(loss('nonsense', { list: true, json: false })).rejects.toMatchObject({ code: 'unknown_value' });
  });

  it.each([
    ['no term', undefined, 'inputs.json', 'usage'],
    ['a term without inputs', 'total', undefined, 'usage'],
    ['a file that is not there', 'total', 'nowhere.json', 'missing_file'],
    ['a folder', 'total', 'test', 'missing_file'],
  ])('%s', async (_what, term, inputs, code) => {
    const options = { list: false, json: false, ...(inputs === undefined ? {} : { inputs }) };
    await expect(loss(term, options)).rejects.toMatchObject({ code });
  });

  it('a comma too many at its line and column', async () => {
    const inputs = workspace.write({ 'inputs.json': '{\n  "mask": [[1]],\n}' });
    await expect(loss('target_pose', { inputs, list: false, json: false })).rejects.toMatchObject({
      details: { file: inputs, line: 3, column: 1 },
    });
  });

  it('with one JSON object and the exit code of its class', async () => {
    const inputs = workspace.write({ 'inputs.json': `{${keypoints}, "mask": [[0, 0]]}` });
    expect(await loss('target_pose', { inputs, list: false, json: true })).toBe(3);
    expect(JSON.parse(out.join(''))).toMatchObject({ error: { code: 'no_visible_keypoint', class: 'data' } });
    out = [];
    expect(await loss('target_pse', { inputs, list: false, json: true })).toBe(2);
    expect(JSON.parse(out.join(''))).toMatchObject({ error: { code: 'unknown_value', class: 'config' } });
  });
});

describe('loss', () => {
  it.each([
    ['the same value', 0.5, 0.5, true],
    ['a relative difference within 1e-9', 3e8, 3e8 + 0.2, true],
    ['one beyond it', 3e8, 3e8 + 0.4, false],
    ['one beyond it of a small value', 1e-5, 1.00001e-5, false],
    ['two zeros', 0, 0, true],
    ['values that are 0 but for rounding', 0, 1e-17, true],
    ['values of different signs', 1, -1, false],
  ])('judges %s', (_what, typescript, python, agree) => {
    expect(compareValues(typescript, python).agree).toBe(agree);
  });

  it('gives both values, their differences and what they are the means of', async () => {
    const found = await compareTerm('total', { losses: [1, 3], reading: 'sum' }, async () => ({
      value: 5,
      values: [5],
    }));
    expect(found).toEqual({
      term: 'total',
      typescript: { value: 4, values: [4] },
      python: { value: 5, values: [5] },
      absolute_difference: 1,
      relative_difference: 0.2,
      agree: false,
    });
  });

  it('ends in loss_mismatch, once both values are told, when the two disagree', async () => {
    const inputs = probeInputs.target_pose;
    const found = await compareTerm('target_pose', inputs, async () => ({ value: 7, values: [7, 7] }));
    expect(() => judge(found, false)).toThrow(expect.objectContaining({ code: 'loss_mismatch' }));
    expect(out.join('\n')).toContain(String(found.typescript.value));
    out = [];
    expect(judge(found, true)).toBe(3);
    expect(JSON.parse(out.join(''))).toMatchObject({ code: 'loss_mismatch', agree: false, python: { value: 7 } });
  });

  it("tells what Python refuses by Python's code, with a remedy and without its traceback", async () => {
    const refusing = async () => {
      throw new PosetwinError('wrong_type', 'sizes differ', { path: 'evaluate_loss_term', traceback: 'File "q.py"' });
    };
    const error: unknown = await compareTerm('total', probeInputs.total, refusing).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'wrong_type', hint: expect.stringContaining('losses') });
    expect(error).not.toHaveProperty('details.traceback');
    expect(error).not.toHaveProperty('details.path');
  });

  it('leaves what happened to the bridge as it is', async () => {
    const death = new PosetwinError('bridge_died', 'Python ended', { traceback: 'File "torch.py"' });
    const dying = async () => {
      throw death;
    };
    await expect(compareTerm('total', probeInputs.total, dying)).rejects.toBe(death);
  });
});
