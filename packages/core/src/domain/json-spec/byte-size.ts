const units = ['', 'k', 'm', 'g', 't', 'p'];
const size = /^(\d{1,15}(?:\.\d{1,9})?) ?(?:([kmgtp])i?)?b?$/iu;

/**
 * Reads a size as Docker does and gives bytes, or `undefined` for a text that is none.
 *
 * Every unit is binary: `256m`, `256mb` and `256mi` are all 256 × 1024² bytes; a number alone is bytes.
 */
export function parseByteSize(text: string): number | undefined {
  const match = size.exec(text);
  if (match?.[1] === undefined) return undefined;
  const bytes = Math.floor(Number(match[1]) * 1024 ** units.indexOf((match[2] ?? '').toLowerCase()));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
