/** Edits (insert, delete, replace, swap of neighbours) from one word to the other, case ignored. */
export const editDistance = (from: string, to: string): number => {
  const [a, b] = [from.toLowerCase(), to.toLowerCase()];
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const at = (i: number, j: number) => rows[i]?.[j] ?? 0;
  for (let i = 1; i <= a.length; i++) {
    rows[i] = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const costs = [at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + (same ? 0 : 1)];
      rows[i]?.push(Math.min(...costs, ...(swapped ? [at(i - 2, j - 2) + 1] : [])));
    }
  }
  return at(a.length, b.length);
};

/** The name that was probably meant: at most a third of its letters differ, or one begins with the other. */
export const closest = (word: string, names: readonly string[]): string | undefined => {
  const ranked = names
    .map(name => ({ name, distance: editDistance(word, name) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  if (best && best.distance <= Math.max(1, Math.floor(Math.max(word.length, best.name.length) / 3))) return best.name;
  return word.length >= 3 ? names.find(name => name.startsWith(word) || word.startsWith(name)) : undefined;
};

const listed = (label: string, names: readonly string[]) => `${label}: ${names.join(', ')}`;

/** `did you mean …?`, and what else there is. */
export const didYouMean = (word: string, names: readonly string[], label: string): string => {
  const meant = closest(word, names);
  return meant === undefined ? listed(label, names) : `did you mean \`${meant}\`? ${listed(label, names)}`;
};
