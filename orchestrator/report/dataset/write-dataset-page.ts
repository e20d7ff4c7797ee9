import { readFileSync } from 'node:fs';
import type { Sample } from '../../contracts/assembled.ts';
import type { OpenSet } from '../../dataset/open-set.ts';
import { html } from '../html.ts';
import { pngUri } from '../images.ts';
import { renderPage } from '../page.ts';
import { originOf } from './origin.ts';
import type { CardData, Pictures } from './pair-card.ts';
import {
  chartsSection,
  type Example,
  filesSection,
  overviewSection,
  pairsSection,
  rejectedSection,
  warningBox,
} from './sections.ts';
import { choosePairsToShow, type ShownPair } from './shown-pairs.ts';
import { type Survey, surveySet } from './survey.ts';
import { thumbnailOf } from './thumbnails.ts';

const beside = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');

/** What tells a page of this command from a file that a person made. */
export const generator = 'posetwin dataset';

/** A picture of 512 px is shown in less than a third of that: more would make a page of hundreds of megabytes. */
const shownSide = 160;

const picturesOf = async (set: OpenSet, { image, control }: Sample): Promise<Pictures> => {
  const uriOf = async (file: Sample['image']) => pngUri(await set.readStored(file), set.manifest.image_size, shownSide);
  return { image: await uriOf(image), control: await uriOf(control) };
};

const cardsOf = async (set: OpenSet, pairs: readonly ShownPair[]): Promise<CardData[]> => {
  const origin = originOf(set.manifest);
  const size = set.manifest.image_size;
  const cards: CardData[] = [];
  for (const [index, pair] of pairs.entries()) {
    const [a, b] = [await picturesOf(set, pair.a), await picturesOf(set, pair.b)];
    cards.push({ pair, position: index + 1, size, a, b, sources: [origin(pair.a.source), origin(pair.b.source)] });
  }
  return cards;
};

const examplesOf = async ({ rejected }: Survey, { manifest }: OpenSet): Promise<Map<string, Example[]>> => {
  const found = new Map<string, Example[]>();
  for (const { code, examples } of rejected) {
    const shown: Example[] = [];
    for (const left of examples) shown.push({ ...left, thumbnail: await thumbnailOf(left.source, manifest.sources) });
    found.set(code, shown);
  }
  return found;
};

const headerOf = (name: string, { image_size }: OpenSet['manifest']) =>
  html`<header><h1>Dataset ${name}</h1>
<p>Pictures of people at ${image_size} px with the keypoints of their pose, in pairs: what a pose adapter is trained and judged on.</p></header>`;

/**
 * One page of a set, called `name`, that opens without a network: numbers, charts, at most `numPairs` pairs, what was left out. Memory
 * grows with the pairs shown, not with the set. Raises `missing_file`, `corrupt_file`, `unsafe_path`.
 */
export const renderDatasetPage = async (set: OpenSet, name: string, numPairs: number): Promise<string> => {
  const { manifest } = set;
  const survey = await surveySet(set);
  const pairs = await choosePairsToShow(set, numPairs);
  const cards = await cardsOf(set, pairs);
  return renderPage({
    title: `Dataset ${name}`,
    generator,
    style: beside('browse.css'),
    script: beside('browse.js'),
    header: html`${headerOf(name, manifest)}${warningBox(manifest)}`,
    chapters: [
      { id: 'overview', name: 'Overview', section: overviewSection(survey, manifest) },
      { id: 'charts', name: 'What they show', section: chartsSection(survey, pairs) },
      { id: 'pairs', name: 'Pairs', section: pairsSection(cards) },
      { id: 'rejected', name: 'Left out', section: rejectedSection(survey, await examplesOf(survey, set)) },
      { id: 'files', name: 'Files', section: filesSection(manifest) },
    ],
  });
};
