import { type Html, html } from '../html.ts';

/** A table with a caption; the first cell of a row is its head. */
export const table = (caption: string, head: readonly string[], rows: readonly (readonly (Html | string)[])[]): Html =>
  html`<div class="scroll" tabindex="0" role="group" aria-label="${caption}"><table><caption><span>${caption}</span></caption>
<thead><tr>${head.map(name => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows.map(([first, ...rest]) => html`<tr><th scope="row">${first}</th>${rest.map(value => html`<td>${value}</td>`)}</tr>`)}</tbody></table></div>`;
