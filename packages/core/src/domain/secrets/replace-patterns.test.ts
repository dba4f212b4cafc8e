import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPatternReplacer } from './replace-patterns.js';

/** Says what is right: at each place the longest pattern that is there. */
function replaceNaively(text: string, patterns: readonly string[]): string {
  const longestFirst = patterns.filter(({ length }) => length >= 4).sort((a, b) => b.length - a.length);
  let replaced = '';
  for (let at = 0; at < text.length;) {
    const found = longestFirst.find((pattern) => text.startsWith(pattern, at));
    replaced += found === undefined ? text.charAt(at) : '#';
    at += found?.length ?? 1;
  }
  return replaced;
}

describe('createPatternReplacer', () => {
  it('replaces what looking at every place for every pattern replaces', () => {
    const unit = fc.constantFrom('a', 'b', 'ü', '😀', 'á', '\u0100', '\ud800');
    const pattern = fc.string({ unit, maxLength: 12 });
    fc.assert(
      fc.property(
        fc.array(pattern, { maxLength: 8 }),
        fc.array(fc.string({ unit, maxLength: 30 }), { maxLength: 4 }),
        fc.boolean(),
        (patterns, gaps, mixed) => {
          const text = mixed
            ? gaps.flatMap((gap, at) => [gap, patterns[at % patterns.length] ?? '']).join('')
            : gaps.join('');
          expect(createPatternReplacer(patterns, '#')(text)).toBe(replaceNaively(text, patterns));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('finds a pattern of a million signs, and does not take its beginning for it', () => {
    const long = Array.from({ length: 1_000_000 }, (_, at) =>
      String.fromCharCode(33 + ((at * 7 + (at >> 5)) % 90)),
    ).join('');
    const replace = createPatternReplacer([long], '#');
    expect(replace(`<${long}>`)).toBe('<#>');
    expect(replace(`<${long.slice(0, -1)}>`)).toBe(`<${long.slice(0, -1)}>`);
  });

  it('finds each of many thousand patterns', () => {
    const patterns = Array.from({ length: 10_000 }, (_, at) => `token-${at}.`);
    const text = patterns.join(' ');
    expect(createPatternReplacer(patterns, '#')(text)).toBe(Array(10_000).fill('#').join(' '));
  });

  it('is not slowed down by a text made of beginnings of a pattern', () => {
    // Compared sign by sign this would take 40,000,000,000 steps.
    const replace = createPatternReplacer([`${'a'.repeat(200_000)}b`], '#');
    const text = 'a'.repeat(400_000);
    expect(replace(text)).toBe(text);
    expect(replace(`${text}b`)).toBe(`${'a'.repeat(200_000)}#`);
  });
});
