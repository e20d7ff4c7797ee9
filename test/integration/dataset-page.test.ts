import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSet } from '../../orchestrator/dataset/open-set.ts';
import { renderDatasetPage } from '../../orchestrator/report/dataset/write-dataset-page.ts';
import { side, smallSet, writeSmallSet } from '../fixtures/small-set.ts';

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

/** 40 pairs, so that there is a second page: every couple of the small set, and again the other way round. */
const manyPairs = () => {
  const set = smallSet();
  const train = set.couples.filter(([, , split]) => split === 'train');
  const turned = train.map(([a, b, split]): (typeof train)[number] => [b, a, split]);
  const held = set.couples.filter(([, , split]) => split === 'held_out');
  return { ...set, couples: [...train, ...turned, ...held] };
};

interface Opened {
  page: Page;
  problems: string[];
  requests: string[];
}

describe.skipIf(executablePath === undefined)('the page of a dataset in Chromium', () => {
  let browser: Browser;
  let folder: string;
  let file: string;
  const set = manyPairs();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'posetwin-page-'));
    writeSmallSet(folder, set);
    file = join(folder, 'set.html');
    writeFileSync(file, await renderDatasetPage(await openSet(folder), 'small', 200));
    const root = process.getuid?.() === 0;
    browser = await chromium.launch({ executablePath: executablePath ?? '', args: root ? ['--no-sandbox'] : [] });
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const openPage = async (options: { javaScriptEnabled?: boolean; width?: number } = {}): Promise<Opened> => {
    const { width = 1280, ...rest } = options;
    const page = await browser.newPage({ viewport: { width, height: 900 }, ...rest });
    const problems: string[] = [];
    const requests: string[] = [];
    page.on('console', message => problems.push(message.text()));
    page.on('pageerror', error => problems.push(error.message));
    page.on('request', request => requests.push(request.url()));
    await page.goto(pathToFileURL(file).href);
    return { page, problems, requests };
  };
  const shownPairs = (page: Page) => page.locator('.pair:visible');

  it('opens without an error and asks for nothing but itself', async () => {
    const { page, problems, requests } = await openPage();
    await page.locator('[name=next]').click();
    expect(problems).toEqual([]);
    expect(requests.filter(url => !url.startsWith('data:'))).toEqual([pathToFileURL(file).href]);
    await page.close();
  });

  it('loads every picture and control map, each with a text', async () => {
    const { page } = await openPage();
    const images = await page.locator('.pair img').evaluateAll(found =>
      found.map(image => ({
        width: (image as unknown as { naturalWidth: number }).naturalWidth,
        alt: image.getAttribute('alt') ?? '',
      })),
    );
    expect(images).toHaveLength(4 * set.couples.length);
    expect(images.every(({ width, alt }) => width === side && alt.length > 10)).toBe(true);
    await page.close();
  });

  it('draws each keypoint where it is in the picture, and none that is not seen', async () => {
    const { page } = await openPage();
    const [first] = set.couples;
    const expected =
      set.drawn.find(({ id }) => id === first?.[0])?.keypoints.filter(([, , seen = 0]) => seen > 0) ?? [];
    const picture = page.locator('.pair .picture').first();
    const box = (await picture.locator('img').boundingBox()) ?? expect.fail();
    const circles = await picture.locator('circle').all();
    expect(circles).toHaveLength(expected.length);
    for (const [index, circle] of circles.entries()) {
      const at = (await circle.boundingBox()) ?? expect.fail();
      const [x = 0, y = 0] = expected[index] ?? [];
      expect(at.x + at.width / 2 - box.x).toBeCloseTo((x / side) * box.width, 0);
      expect(at.y + at.height / 2 - box.y).toBeCloseTo((y / side) * box.height, 0);
    }
    await page.close();
  });

  it('turns pages, and filters by split, class, source and text', async () => {
    const { page } = await openPage();
    expect(await shownPairs(page).count()).toBe(24);
    await page.locator('[name=next]').click();
    expect(await shownPairs(page).count()).toBe(set.couples.length - 24);
    await page.locator('[name=split]').selectOption('held_out');
    expect(await shownPairs(page).count()).toBe(3);
    await page.locator('[name=class]').selectOption('=cover drive');
    // Held-out pictures of the small set are all of the class `tree`.
    expect(await shownPairs(page).count()).toBe(0);
    expect(await page.locator('.none').isVisible()).toBe(true);
    await page.locator('[name=split]').selectOption('');
    await page.locator('[name=source]').selectOption('mini');
    await page.locator('[name=text]').fill('Number 21');
    const texts = await shownPairs(page).allTextContents();
    expect(texts).toHaveLength(2);
    expect(texts.every(text => text.includes('number 21'))).toBe(true);
    await page.close();
  });

  it('orders by the distance of the poses', async () => {
    const { page } = await openPage();
    const distances = () =>
      shownPairs(page).evaluateAll(cards => cards.map(card => Number(card.getAttribute('data-distance'))));
    await page.locator('[name=order]').selectOption('far');
    const far = await distances();
    expect(far).toEqual([...far].sort((a, b) => b - a));
    await page.locator('[name=order]').selectOption('near');
    expect((await distances())[0]).toBeLessThan(far[0] ?? 0);
    await page.close();
  });

  it('hides keypoints and control maps where they are switched off', async () => {
    const { page } = await openPage();
    await page.locator('#show-keypoints').uncheck();
    expect(await page.locator('.overlay:visible').count()).toBe(0);
    expect(await page.locator('.control:visible').count()).toBe(48);
    await page.locator('#show-control').uncheck();
    expect(await page.locator('.control:visible').count()).toBe(0);
    await page.close();
  });

  it('shows all pairs and no dead tools without JavaScript', async () => {
    const { page } = await openPage({ javaScriptEnabled: false });
    expect(await shownPairs(page).count()).toBe(set.couples.length);
    expect(await page.locator('.tools').isVisible()).toBe(false);
    await page.close();
  });

  it('fits a narrow screen', async () => {
    const { page } = await openPage({ width: 360 });
    expect(await page.locator('body').evaluate(body => body.ownerDocument.documentElement.scrollWidth)).toBe(360);
    await page.close();
  });
});
