import { type Html, html } from '../html.ts';

/** A sentence of the audit: what stands between backticks is a name in the experiment. */
export const prose = (sentence: string): Html =>
  html`${sentence.split('`').map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))}`;
