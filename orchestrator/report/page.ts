import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Html, html, raw } from './html.ts';

const style = readFileSync(new URL('style.css', import.meta.url), 'utf8');

// A page needs nothing but itself, and says so: no request, pictures and styles from the page, no script but its own.
const policyOf = (script: string): string => {
  const hash = createHash('sha256').update(script).digest('base64');
  const scripts = script === '' ? '' : ` script-src 'sha256-${hash}';`;
  return `default-src 'none'; img-src data:; style-src 'unsafe-inline';${scripts} base-uri 'none'; form-action 'none'`;
};

export interface Chapter {
  /** of its section element */
  id: string;
  name: string;
  section: Html;
}

export interface Page {
  title: string;
  header: Html;
  /** the first one is what a reader should see first */
  chapters: readonly Chapter[];
  /** who made it, in a meta element */
  generator?: string;
  /** CSS beside that of all pages */
  style?: string;
  /** code of this program, run at the end */
  script?: string;
}

const generatorMeta = (generator: string): Html => html`<meta name="generator" content="${generator}">
`;

/** One HTML file that opens without a network, as text. */
export const renderPage = ({ title, header, chapters, generator = '', style: own = '', script = '' }: Page): string =>
  html`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
${generator !== '' && generatorMeta(generator)}<meta http-equiv="Content-Security-Policy" content="${raw(policyOf(script))}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${raw(style + own)}</style></head>
<body><a class="skip" href="#${chapters[0]?.id}">Skip to the ${chapters[0]?.name.toLowerCase()}</a>
${header}
<nav aria-label="Sections"><ul>${chapters.map(({ id, name }) => html`<li><a href="#${id}">${name}</a></li>`)}</ul></nav>
<main>
${chapters.map(({ section }) => section)}
</main>${script !== '' && raw(`<script>${script}</script>`)}</body></html>
`.markup;

/** Writes `report.html` into `dir`, whole or not at all, and gives its path. */
export const writePage = async (page: string, dir: string): Promise<string> => {
  const path = join(dir, 'report.html');
  await mkdir(dir, { recursive: true });
  await writeFile(`${path}.partial`, page);
  await rename(`${path}.partial`, path);
  return path;
};
