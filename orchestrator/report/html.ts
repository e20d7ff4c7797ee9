/** Markup that is safe to put into a page as it is. Only `html` and `raw` make it. */
export class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }

  toString(): string {
    return this.markup;
  }
}

export type HtmlValue = Html | string | number | null | undefined | false | readonly HtmlValue[];

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
// Control characters are not allowed in XML, and the same function serves SVG.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
const controls = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffe\uffff]/g;

/** `text` for use inside an element or a quoted attribute of HTML or SVG. */
export const escapeText = (text: string): string =>
  text.replace(controls, '\ufffd').replace(/[&<>"']/g, character => entities[character] ?? character);

const render = (value: HtmlValue): string => {
  if (value === null || value === undefined || value === false) return '';
  if (value instanceof Html) return value.markup;
  if (typeof value === 'object') return value.map(render).join('');
  return escapeText(String(value));
};

/** A tagged template for HTML and SVG: every value is escaped, except what is `Html` already; lists are joined. */
export const html = (strings: TemplateStringsArray, ...values: HtmlValue[]): Html =>
  new Html(strings.reduce((out, part, index) => out + render(values[index - 1]) + part));

/** Vouches for `markup` made elsewhere in this program, never for text from a file or a person. */
export const raw = (markup: string): Html => new Html(markup);
