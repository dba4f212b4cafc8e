import { randomInt } from 'node:crypto';

/** Of so many code units every pattern has to be. */
export const shortestPattern = 4;

// Sums of products of two of these stay exact: 26 bits and 26 bits are less than the 53 of a number.
const modulus = 67_108_859;
// By chance, so that nobody can write texts whose parts have the sums of patterns without being them.
const base = randomInt(65_536, modulus - 1);

/**
 * Makes a function that replaces patterns in a text: from left to right, the longest where several begin.
 *
 * Takes time in proportion to the text, whatever the number and size of the patterns, a pattern of many repetitions
 * included: parts of a text are compared by sums of their beginnings (Rabin and Karp), and sign by sign only where those
 * are equal. The sums are made once a text holds the first four signs of a pattern. A text without them costs one look
 * at each sign.
 */
export function createPatternReplacer(
  patterns: Iterable<string>,
  replacement: string,
): (text: string) => string {
  const known = new Set([...patterns].filter((pattern) => pattern.length >= shortestPattern));
  if (known.size === 0) return (text) => text;
  const bits = Math.min(20, Math.max(12, Math.ceil(Math.log2(known.size * 16))));
  const seen = new Uint8Array(2 ** bits);
  const slot = (start: number): number => (start ^ (start >>> bits)) & (2 ** bits - 1);
  /** By how they start: how long patterns are, the longest first. */
  const lengths = new Map<number, number[]>();
  const bySum = new Map<number, string[]>();
  for (const pattern of known) {
    const start = startOf(pattern);
    seen[slot(start)] = 1;
    const others = lengths.get(start) ?? [];
    if (!others.includes(pattern.length))
      lengths.set(
        start,
        [...others, pattern.length].sort((a, b) => b - a),
      );
    const key = keyOf(sumOf(pattern), pattern.length);
    bySum.set(key, [...(bySum.get(key) ?? []), pattern]);
  }

  /** The length of the longest pattern that begins at a place; 0 where none does. */
  const lengthAt = (sums: TextSums, at: number, lengthsHere: readonly number[]): number =>
    lengthsHere.find(
      (length) =>
        at + length <= sums.text.length &&
        bySum.get(keyOf(sums.of(at, length), length))?.some((found) => sums.text.startsWith(found, at)),
    ) ?? 0;

  return (text) => {
    let sums: TextSums | undefined;
    let replaced = '';
    let done = 0;
    let start = 0;
    for (let end = 0; end < text.length; end += 1) {
      start = (start << 8) ^ text.charCodeAt(end);
      const at = end - shortestPattern + 1;
      if (at < done || seen[slot(start)] === 0) continue;
      const lengthsHere = lengths.get(start);
      if (lengthsHere === undefined) continue;
      sums ??= new TextSums(text);
      const length = lengthAt(sums, at, lengthsHere);
      if (length === 0) continue;
      replaced += text.slice(done, at) + replacement;
      done = at + length;
      end = done - 1;
    }
    return done === 0 ? text : replaced + text.slice(done);
  };
}

/** A number made of the first four code units and of nothing else: each shift moves the fifth out of its 32 bits. */
function startOf(pattern: string): number {
  let start = 0;
  for (let at = 0; at < shortestPattern; at += 1) start = (start << 8) ^ pattern.charCodeAt(at);
  return start;
}

function sumOf(pattern: string): number {
  let sum = 0;
  for (let at = 0; at < pattern.length; at += 1) sum = (sum * base + pattern.charCodeAt(at)) % modulus;
  return sum;
}

function keyOf(sum: number, length: number): number {
  return length * modulus + sum;
}

/** The sums of all parts of a text, each found in one step. */
class TextSums {
  readonly text: string;
  readonly #upTo: Uint32Array;
  readonly #powers: Uint32Array;

  constructor(text: string) {
    this.text = text;
    this.#upTo = new Uint32Array(text.length + 1);
    this.#powers = new Uint32Array(text.length + 1);
    let sum = 0;
    let power = 1;
    this.#powers[0] = power;
    for (let at = 0; at < text.length; at += 1) {
      sum = (sum * base + text.charCodeAt(at)) % modulus;
      power = (power * base) % modulus;
      this.#upTo[at + 1] = sum;
      this.#powers[at + 1] = power;
    }
  }

  of(at: number, length: number): number {
    const before = (this.#upTo[at] ?? 0) * (this.#powers[length] ?? 0);
    return ((this.#upTo[at + length] ?? 0) - (before % modulus) + modulus) % modulus;
  }
}
