import type { Manifest } from '../../contracts/assembled.ts';

/** How a source is called where it is counted: its kind and path. */
export const nameOfSource = ({ kind, path }: Manifest['sources'][number]): string =>
  path === null ? kind : `${kind} ${path}`;

export const unknownSource = 'other';

const isIn = (source: string, path: string): boolean =>
  source.startsWith(path) && /^($|[/\\,#: ])/.test(source.slice(path.replace(/[/\\]$/, '').length));

/** Tells by the `source` of a sample which source of the manifest it comes from: a drawn one's kind, else the longest path it lies in. */
export const originOf = ({ sources }: Pick<Manifest, 'sources'>): ((source: string) => string) => {
  const drawn = sources.find(({ path }) => path === null);
  const placed = sources
    .flatMap(source => (source.path === null ? [] : [{ path: source.path, name: nameOfSource(source) }]))
    .sort((a, b) => b.path.length - a.path.length);
  return source => {
    if (drawn !== undefined && source === drawn.kind) return nameOfSource(drawn);
    return placed.find(({ path }) => isIn(source, path))?.name ?? unknownSource;
  };
};
