import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createScrubber } from './scrub.js';

describe('createScrubber', () => {
  const value = 'p@ss "word"/+ü';

  it.each([
    ['as it is', value],
    ['URL-encoded', encodeURIComponent(value)],
    ['in a form', new URLSearchParams({ '': value }).toString().slice(1)],
    ['in JSON', JSON.stringify(value).slice(1, -1)],
    ['in base64', Buffer.from(value).toString('base64')],
    ['in base64url', Buffer.from(value).toString('base64url')],
  ])('replaces a value %s', (_, text) => {
    expect(createScrubber([value])(`before ${text} after`)).toBe('before [secret] after');
  });

  it('finds a value in the credentials of basic authentication', () => {
    const header = `Basic ${Buffer.from('user:correct horse battery').toString('base64')}`;
    expect(createScrubber(['correct horse battery'])(header)).toMatch(/^Basic .{0,8}\[secret\].{0,4}$/u);
  });

  it('finds single lines of a value of several', () => {
    const scrub = createScrubber([
      '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0\n-----END PRIVATE KEY-----\n',
    ]);
    expect(scrub('12:00 MIIEvQIBADANBgkqhkiG9w0')).toBe('12:00 [secret]');
  });

  it('replaces the longest first', () => {
    expect(createScrubber(['abcd', 'abcdefgh'])('abcdefgh abcd')).toBe('[secret] [secret]');
  });

  it('leaves values shorter than four characters and texts without values alone', () => {
    expect(createScrubber(['abc', ''])('abc')).toBe('abc');
    expect(createScrubber([])('abc')).toBe('abc');
  });

  it('takes signs of regular expressions and of replacements for what they are', () => {
    expect(createScrubber(['.*+?'])('abcd .*+?')).toBe('abcd [secret]');
    expect(createScrubber(['$&$1'])('$&$1')).toBe('[secret]');
  });

  it.each([32 * 1024, 1_000_000])('replaces a value of %i characters in all its forms', (length) => {
    const long = Array.from({ length }, (_, at) =>
      String.fromCharCode(32 + ((at * 7 + (at >> 5)) % 95)),
    ).join('');
    const scrub = createScrubber([long]);
    for (const text of [long, encodeURIComponent(long), Buffer.from(long).toString('base64')])
      expect(scrub(`before ${text} after`)).toBe('before [secret] after');
  });

  it('replaces each of a thousand values', () => {
    const values = Array.from({ length: 1_000 }, (_, at) => `sk-proj-${at * 7_919}-x`);
    expect(createScrubber(values)(values.join(' '))).toBe(values.map(() => '[secret]').join(' '));
  });

  it('leaves no known value in any text', () => {
    const units = fc.constantFrom(
      'a',
      'B',
      '3',
      ' ',
      '"',
      '+',
      '/',
      '=',
      '%',
      '&',
      '.',
      '*',
      '$',
      '\\',
      '\n',
      'ü',
      '😀',
    );
    const secret = fc.string({ unit: units, minLength: 4, maxLength: 12 });
    const gap = fc.string({ unit: units, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(fc.tuple(gap, secret), { minLength: 1, maxLength: 4 }), (parts) => {
        const secrets = parts.map(([, value]) => value);
        const text = parts.flat().join('') + JSON.stringify(secrets);
        const scrubbed = createScrubber(secrets)(text);
        for (const value of secrets) expect(scrubbed).not.toContain(value);
      }),
    );
  });
});
