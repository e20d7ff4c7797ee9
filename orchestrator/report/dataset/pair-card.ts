import type { Sample } from '../../contracts/assembled.ts';
import { type Html, html } from '../html.ts';
import { keypointCircles, skeletonLines } from '../skeleton.ts';
import type { ShownPair } from './shown-pairs.ts';
import { className, splitNames } from './words.ts';

/** The picture and the control map of a sample as data URIs. */
export interface Pictures {
  image: string;
  control: string;
}

export interface CardData {
  pair: ShownPair;
  position: number;
  size: number;
  a: Pictures;
  b: Pictures;
  /** of A and of B, for the filter */
  sources: readonly string[];
}

/** Limbs and joints over a picture, in its own pixels; joints that are not seen are not drawn. */
const overlay = ({ keypoints }: Sample, size: number): Html => {
  const seen = keypoints.map(([x, y, visibility]): [number, number, number] => [x, y, visibility > 0 ? 1 : 0]);
  return html`<svg class="overlay" viewBox="0 0 ${size} ${size}" aria-hidden="true">${skeletonLines(keypoints, size / 100)}${keypointCircles(seen, size / 80, 0.5)}</svg>`;
};

const numSeen = ({ keypoints }: Sample): number => keypoints.filter(([, , visibility]) => visibility > 0).length;

const sideOf = (letter: 'A' | 'B', sample: Sample, pictures: Pictures, size: number): Html =>
  html`<figure class="side">
<div class="picture"><img src="${pictures.image}" width="${size}" height="${size}" alt="Picture ${letter}: ${sample.caption}">${overlay(sample, size)}</div>
<img class="control" src="${pictures.control}" width="${size}" height="${size}" alt="Control map of ${letter}: ${numSeen(sample)} of 18 joints">
<figcaption><b>${letter}</b> <span class="caption" lang="">${sample.caption}</span>
<span class="detail">sample ${sample.id} · ${className(sample.class)} · ${numSeen(sample)} of 18 joints</span></figcaption></figure>`;

/** What the filter of the page reads. */
const marks = ({ pair: { split, a, b }, sources }: CardData): Html =>
  html`data-split="${split}" data-classes="${JSON.stringify([a.class, b.class])}" data-sources="${JSON.stringify(sources)}" data-text="${[a.caption, b.caption, a.id, b.id, a.class, b.class].join(' ').toLowerCase()}"`;

/** One pair: A and B beside each other with the keypoints over them, under each its control map and caption. */
export const pairCard = (data: CardData): Html => {
  const { pair, position, size } = data;
  return html`<article class="pair" ${marks(data)} data-distance="${pair.distance ?? ''}" aria-label="Pair ${position}">
<header><h3>Pair ${position}</h3><span>${splitNames[pair.split]} · pose distance ${pair.distance?.toFixed(2) ?? '–'}</span></header>
<div class="sides">${sideOf('A', pair.a, data.a, size)}${sideOf('B', pair.b, data.b, size)}</div></article>`;
};
