import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parseHTML } from 'linkedom';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { showDataset } from '../../../orchestrator/commands/dataset.ts';
import { doctor } from '../../../orchestrator/commands/doctor.ts';
import { datasetGuides } from '../../../orchestrator/commands/doctor-datasets.ts';
import { loadChecked, makePlan } from '../../../orchestrator/commands/prepare.ts';
import { Source } from '../../../orchestrator/contracts/sources.ts';
import { Store } from '../../../orchestrator/runs/index.ts';
import { figureAt, rejectedOf, smallSet, writeSmallSet } from '../../fixtures/small-set.ts';

let root: string;
let folder: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'posetwin-dataset-'));
  folder = join(root, 'set');
  writeSmallSet(folder);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

type Options = Parameters<typeof showDataset>[2];

const printed = async (given: string, options: Partial<Options> = {}, out?: string): Promise<string> => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  expect(await showDataset(given, out, { json: false, pairs: 200, force: false, ...options })).toBe(0);
  return log.mock.calls.flat().join('\n');
};
const refusal = (given: string, options: Partial<Options> = {}, out?: string) =>
  expect(showDataset(given, out, { json: false, pairs: 200, force: false, ...options })).rejects;

describe('posetwin dataset', () => {
  it('counts by split, source and class, joints and what was left out', async () => {
    const told = JSON.parse(await printed(folder, { json: true }));
    expect(told.num_samples).toEqual({ train: 16, held_out: 4 });
    // Even ids are drawn, 3, 11, 15 and 19 are held out, 7 and 13 were left out.
    expect(told.by_source).toEqual([
      { name: 'mini', counts: { train: 11, held_out: 0 } },
      { name: 'classes /pictures/yoga', counts: { train: 5, held_out: 4 } },
    ]);
    expect(told.by_class.map(({ name }: { name: string }) => name)).toEqual(['cover drive', 'tree']);
    expect(told.num_visible).toEqual([...Array(16).fill(20), 0, 0]);
    expect(told.rejected.map(({ code, count }: { code: string; count: number }) => [code, count])).toEqual([
      ['bad_image', 1],
      ['no_person', 1],
    ]);
    expect(told.num_shards).toBe(2);
    expect(told.manifest.seed).toBe(7);
  });

  it('tells it to people, warnings first, each reason with an example', async () => {
    const lines = (await printed(folder)).split('\n').filter(line => line !== '');
    expect(lines[1]).toMatch(/^WARNING: .*left and right/);
    const left = lines.findIndex(line => line.includes('bad_image'));
    expect(lines[left + 1]).toContain('/pictures/yoga/tree/13.jpg');
    expect(lines.join('\n')).toMatch(/Apache-2\.0[\s\S]*as the folder says/);
  });

  it('answers usage and missing_file', async () => {
    await refusal(join(root, 'nowhere')).toMatchObject({ code: 'missing_file' });
    await refusal(folder, { json: true, html: join(root, 'x.html') }).toMatchObject({ code: 'usage' });
    await refusal(folder, { export: 'imagefolder' }).toMatchObject({ code: 'usage' });
    await refusal(folder, {}, join(root, 'x')).toMatchObject({ code: 'usage' });
  });
});

describe('the set that is meant', () => {
  it('is that of a run, by its folder', async () => {
    const run = join(root, 'runs', 'mine', '1a2b3c4d');
    mkdirSync(run, { recursive: true });
    writeFileSync(join(run, 'experiment.resolved.json'), '{}');
    await refusal(run).toMatchObject({ code: 'usage' });
    writeFileSync(join(run, 'stages.json'), JSON.stringify({ assemble: relative(run, folder) }));
    expect((await printed(run)).split('\n')[0]).toBe(`dataset mine/1a2b3c4d in ${folder}`);
  });

  it('is that of an experiment file, once it is assembled', async () => {
    vi.stubEnv('POSETWIN_STORE', join(root, 'store'));
    const file = join(root, 'my.yaml');
    writeFileSync(file, 'name: my\ndataset: mini-small\n');
    await refusal(file).toMatchObject({ code: 'usage' });
    const loaded = loadChecked(file, { set: [], json: false });
    if ('exitCode' in loaded) expect.fail();
    const store = new Store();
    const made = store.folder((await makePlan(loaded, 0, store)).stages.assemble);
    writeSmallSet(made);
    writeFileSync(join(made, 'stage.json'), '{}');
    expect((await printed(file)).split('\n')[0]).toBe(`dataset my in ${made}`);
  });

  it('is none where the experiment has errors: these are told, exit code 2', async () => {
    const file = join(root, 'faulty.yaml');
    writeFileSync(file, 'name: my\ndataset: {num_imges: 3}\n');
    const told = vi.spyOn(console, 'error').mockImplementation(() => {});
    expect(await showDataset(file, undefined, { json: false, pairs: 1, force: false })).toBe(2);
    expect(told.mock.calls.flat().join('\n')).toContain('unknown_key');
  });
});

describe('posetwin dataset --html', () => {
  it('writes one page without a reference to the outside, and escapes what it shows', async () => {
    const evil = '<script>alert("1")</script>';
    const made = join(root, 'evil');
    const set = smallSet();
    const drawn = set.drawn.map(sample => ({ ...sample, caption: evil, class: evil, source: evil }));
    writeSmallSet(made, { ...set, drawn, rejected: [rejectedOf(1, evil, evil)], changes: { warnings: [evil] } });
    await printed(made, { html: join(root, 'evil.html') });
    const page = readFileSync(join(root, 'evil.html'), 'utf8');
    expect(page.match(/<script/g)).toHaveLength(1);
    expect(page).not.toMatch(/(?:src|href)\s*=\s*["']?(?:https?:)?\/\//i);
    const { document } = parseHTML(page);
    expect(document.querySelector('.pair')?.getAttribute('data-classes')).toBe(JSON.stringify([evil, evil]));
    expect(document.querySelector('meta[http-equiv]')?.getAttribute('content')).toMatch(/script-src 'sha256-/);
  });

  it('shows at most so many pairs, held-out ones among them, in the order they were drawn', async () => {
    const file = join(root, 'eight.html');
    await printed(folder, { html: file, pairs: 8 });
    const cards = [...parseHTML(readFileSync(file, 'utf8')).document.querySelectorAll('.pair')];
    expect(cards.map(card => card.getAttribute('data-split'))).toEqual([
      ...Array(6).fill('train'),
      'held_out',
      'held_out',
    ]);
    expect(cards[1]?.textContent).toMatch(/number 1[\s\S]*number 2/);
  });

  it('draws pairs of its own where every combination is trained on', async () => {
    const made = join(root, 'all');
    const set = smallSet();
    const couples = set.couples.filter(([, , split]) => split === 'held_out');
    writeSmallSet(made, { ...set, couples, changes: { train_pairs: 'all-combinations' } });
    await printed(made, { html: join(root, 'all.html'), pairs: 9 });
    const cards = [...parseHTML(readFileSync(join(root, 'all.html'), 'utf8')).document.querySelectorAll('.pair')];
    expect(cards.filter(card => card.getAttribute('data-split') === 'train').length).toBeGreaterThan(3);
  });

  it('previews a picture that was left out where it can be opened, and only then', async () => {
    const made = join(root, 'left-out');
    mkdirSync(made);
    const set = smallSet();
    const bytes = set.drawn[0]?.image ?? expect.fail();
    writeFileSync(join(made, 'whole.png'), bytes);
    writeFileSync(join(made, 'cut.png'), bytes.subarray(0, 60));
    const bomb = Buffer.from(bytes);
    bomb.writeUInt32BE(60_000, 16);
    bomb.writeUInt32BE(60_000, 20);
    writeFileSync(join(made, 'bomb.png'), bomb);
    writeFileSync(join(made, 'text.jpg'), 'no picture');
    const names = ['whole.png', 'cut.png', 'bomb.png', 'text.jpg', 'gone.png', 'shard.tar/a.png'];
    const rejected = names.map(name => rejectedOf(1, 'no_person', join(made, name)));
    writeSmallSet(made, { ...set, rejected });
    await printed(made, { html: join(root, 'left-out.html') });
    const { document } = parseHTML(readFileSync(join(root, 'left-out.html'), 'utf8'));
    const shown = [...document.querySelectorAll('#rejected li')].map(item => item.querySelector('img') !== null);
    expect(shown).toEqual([true, false, false, false, false, false]);
  });

  it('overwrites its own page, another file only by --force: usage', async () => {
    const file = join(root, 'page.html');
    await printed(folder, { html: file, pairs: 1 });
    await printed(folder, { html: file, pairs: 2 });
    writeFileSync(join(root, 'mine.html'), '<h1>mine</h1>');
    await refusal(folder, { html: join(root, 'mine.html') }).toMatchObject({ code: 'usage' });
    expect(readFileSync(join(root, 'mine.html'), 'utf8')).toBe('<h1>mine</h1>');
    await printed(folder, { html: join(root, 'mine.html'), force: true, pairs: 1 });
    expect(readFileSync(join(root, 'mine.html'), 'utf8')).toContain('Pair 1');
  });
});

const linesOf = (file: string): Record<string, unknown>[] =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));

describe('posetwin dataset --export imagefolder', () => {
  it('writes every picture and control map with its line, the held-out ones under test/', async () => {
    const out = join(root, 'deep', 'images');
    await printed(folder, { export: 'imagefolder' }, out);
    expect(readdirSync(out).sort()).toEqual(['LICENCES.txt', 'test', 'train']);
    expect(readFileSync(join(out, 'LICENCES.txt'), 'utf8')).toMatch(/mini: Apache-2\.0\n.*yoga: as the folder says/);
    const lines = [...linesOf(join(out, 'train/metadata.jsonl')), ...linesOf(join(out, 'test/metadata.jsonl'))];
    expect(lines).toHaveLength(20);
    for (const { drawn } of [smallSet()])
      for (const sample of drawn) {
        const line = lines.find(({ id }) => id === sample.id) ?? expect.fail();
        const at = join(out, sample.split === 'train' ? 'train' : 'test');
        expect(readFileSync(join(at, String(line.file_name))).equals(sample.image)).toBe(true);
        expect(readFileSync(join(at, String(line.conditioning_image_file_name))).equals(sample.control)).toBe(true);
        expect(line).toMatchObject({ text: sample.caption, class: sample.class, keypoints: sample.keypoints });
      }
  });

  it('writes keypoints as decimals, whole or not, so that every reader takes them for the same type', async () => {
    const made = join(root, 'whole');
    const set = smallSet();
    const keypoints = figureAt(1, 2).map(() => [3, 4, 2]);
    writeSmallSet(made, { ...set, drawn: set.drawn.map(sample => ({ ...sample, keypoints })) });
    await printed(made, { export: 'imagefolder' }, join(root, 'whole-images'));
    expect(readFileSync(join(root, 'whole-images/train/metadata.jsonl'), 'utf8')).toContain('[3.0, 4.0, 2.0]');
  });

  it('overwrites nothing: usage', async () => {
    const out = join(root, 'there');
    mkdirSync(out);
    await refusal(folder, { export: 'imagefolder' }, out).toMatchObject({ code: 'usage' });
    mkdirSync(join(root, 'foreign.partial'));
    await refusal(folder, { export: 'imagefolder' }, join(root, 'foreign')).toMatchObject({ code: 'usage' });
    expect(readdirSync(join(root, 'foreign.partial'))).toEqual([]);
  });

  it('goes on where it was interrupted, and makes a cut picture anew', async () => {
    const made = join(root, 'broken');
    writeSmallSet(made);
    const shard = readFileSync(join(made, 'shards/000001.tar'));
    rmSync(join(made, 'shards/000001.tar'));
    const out = join(root, 'resumed');
    await refusal(made, { export: 'imagefolder' }, out).toMatchObject({ code: 'missing_file' });
    expect(existsSync(out)).toBe(false);
    writeFileSync(join(made, 'shards/000001.tar'), shard);
    writeFileSync(join(`${out}.partial`, 'train/images/000000002.png'), 'cut');
    await printed(made, { export: 'imagefolder' }, out);
    expect(linesOf(join(out, 'train/metadata.jsonl'))).toHaveLength(16);
    const second = smallSet().drawn[2]?.image ?? expect.fail();
    expect(readFileSync(join(out, 'train/images/000000002.png')).equals(second)).toBe(true);
    expect(existsSync(`${out}.partial`)).toBe(false);
  });
});

describe('posetwin doctor --datasets', () => {
  it('tells of each dataset where it is, its licence, and a line that `sources` takes', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    expect(await doctor({ json: true, datasets: true })).toBe(0);
    const { datasets } = JSON.parse(log.mock.calls.flat().join('\n'));
    expect(datasets).toHaveLength(5);
    for (const { yaml, site, licence } of datasetGuides) {
      expect(() => Source.parse(parse(yaml)[0])).not.toThrow();
      expect(site).toMatch(/^https?:/);
      expect(licence).not.toBe('');
    }
    log.mockClear();
    await doctor({ json: false, datasets: true });
    for (const { name, yaml } of datasetGuides) {
      expect(log.mock.calls.flat().join('\n')).toContain(name);
      expect(log.mock.calls.flat().join('\n')).toContain(yaml);
    }
  });
});
