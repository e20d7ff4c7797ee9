/** `text` of at most `length` characters; what is cut off becomes an ellipsis. */
export const shorten = (text: string, length: number): string => {
  const characters = [...text];
  return characters.length <= length
    ? text
    : `${characters
        .slice(0, length - 1)
        .join('')
        .trimEnd()}…`;
};

/** `text` in at most `maxLines` lines of at most `columns` characters, broken between words where possible. */
export const wrap = (text: string, columns: number, maxLines: number): string[] => {
  const lines: string[] = [''];
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const last = lines.length - 1;
    const longer = `${lines[last]} ${word}`.trimStart();
    if (longer.length <= columns || lines[last] === '') lines[last] = longer;
    else lines.push(word);
  }
  if (lines.length <= maxLines) return lines.map(line => shorten(line, columns));
  const kept = lines.slice(0, maxLines - 1);
  return [...kept, lines.slice(maxLines - 1).join(' ')].map(line => shorten(line, columns));
};

/** A number as people read it: four significant digits, powers of ten outside 0.001 … 99,999; a dash for none. */
export const number = (value: number | null | undefined, digits = 4): string => {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  const far = size !== 0 && (size < 1e-3 || size >= 1e5);
  const text = far ? value.toExponential(digits - 1).replace('e+', 'e') : String(Number(value.toPrecision(digits)));
  return text.replace(/^-/, '−');
};

/** A fraction as percentage: "93.8 %". */
export const percent = (value: number | null | undefined, digits = 1): string =>
  value === null || value === undefined || !Number.isFinite(value) ? '–' : `${(100 * value).toFixed(digits)} %`;

/** Seconds as "48.2 s", "12 min 5 s" or "3 h 20 min". */
export const duration = (seconds: number): string => {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};

/** "1 picture", "2 pictures". */
export const count = (amount: number, noun: string): string =>
  `${amount.toLocaleString('en')} ${noun}${amount === 1 ? '' : 's'}`;
