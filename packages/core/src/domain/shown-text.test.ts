import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shownText } from './shown-text.js';

describe('shownText', () => {
  it('leaves an ordinary text as it is', () => {
    expect(shownText('Grüße an 👩‍👩‍👧: 100 %', 200)).toBe('Grüße an 👩‍👩‍👧: 100 %');
  });

  it.each([
    ['colours', '\u001b[31;1mred\u001b[0m', 'red'],
    ['the title of a window', '\u001b]0;evil\u0007said', 'said'],
    ['lines', 'one\r\ntwo\u0000three', 'one two three'],
    ['what turns text around', 'a\u202eb\u2066c', 'a b c'],
  ])('takes out %s', (_, text, shown) => {
    expect(shownText(text, 200)).toBe(shown);
  });

  it('never gives a control character, nor more than was asked for', () => {
    const unit = fc.constantFrom(
      'a',
      '[',
      '0',
      'm',
      ';',
      ']',
      '\\',
      '\u001b',
      '\u0007',
      '\u0000',
      '\u0085',
      '\n',
      '\u2029',
      '\u202e',
    );
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 60 }), fc.integer({ min: 1, max: 20 }), (text, length) => {
        const shown = shownText(text, length);
        expect(shown.length).toBeLessThanOrEqual(length);
        expect(shown).not.toMatch(/\p{Cc}/u);
      }),
    );
  });
});

it('leaves of a word that is cut less than would be a part of a secret', () => {
  const secret = 'canary0123456789';
  for (let max = 1; max < 60; max += 1) {
    const shown = shownText(`no such key as ${secret} here or elsewhere`, max);
    expect(shown.length).toBeLessThanOrEqual(max);
    if (!shown.includes(secret)) expect(shown).not.toContain(secret.slice(0, 12));
  }
  expect(shownText(secret.repeat(1_000), 40)).toBe('canary01234…');
});
