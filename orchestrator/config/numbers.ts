/** What a text was probably meant to be where a number is needed: `1e-4s`, `10 %`, `1_000`, `"3"`. */
export const meantNumber = (text: string): number | undefined => {
  const [, digits, unit = ''] =
    /^\s*([+-]?[\d][\d_,]*(?:\.\d+)?(?:e[+-]?\d+)?|[+-]?\.\d+)\s*([^\d.\s]\S*)?\s*$/i.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const number = Number(digits.replace(/[_,]/g, ''));
  const factors: Record<string, number> = { '%': 0.01, k: 1e3, M: 1e6 };
  // Through a decimal text, so that 0.04 % is 0.0004 and not 0.00039999…
  return Number((number * (factors[unit] ?? 1)).toPrecision(12));
};

export const numberHint = (text: string): string | undefined => {
  const number = meantNumber(text);
  return number === undefined ? undefined : `write a plain number, without unit or quotes: ${number}`;
};
