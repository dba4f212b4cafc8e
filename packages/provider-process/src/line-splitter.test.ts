import { describe, expect, it } from 'vitest';
import { LineSplitter } from './line-splitter.js';

const plain = (text: string): string => text;

function linesOf(chunks: readonly Buffer[], scrub = plain): string[] {
  const splitter = new LineSplitter(scrub);
  return [...chunks.flatMap((chunk) => splitter.push(chunk)), ...splitter.end()];
}

describe('LineSplitter', () => {
  it('gives the same lines wherever the bytes are cut into chunks, inside of characters too', () => {
    const lines = ['', 'plain', 'Grüße', '日本', '🎉🎉', '', 'end'];
    const bytes = Buffer.from(`${lines.join('\n')}\n`);
    for (let first = 0; first <= bytes.length; first += 1) {
      for (let second = first; second <= bytes.length; second += 1) {
        const chunks = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
        expect(linesOf(chunks)).toEqual(lines);
      }
    }
  });

  it('takes both kinds of line ends, and a last line without one', () => {
    expect(linesOf([Buffer.from('a\r\nb\n\nc')])).toEqual(['a', 'b', '', 'c']);
  });

  it('keeps no more of a line than its limit, however long it is', () => {
    const chunk = Buffer.alloc(65_536, 'x');
    const [line] = linesOf([...Array.from({ length: 100 }, () => chunk), Buffer.from('\n')]);
    expect(line).toBe(`${'x'.repeat(16_384)} [cut]`);
  });

  it('never leaves the beginning of a secret before a cut', () => {
    const scrub = (text: string): string => text.replaceAll('hush-hush-hush', '[secret]');
    for (let before = 16_360; before < 16_390; before += 1) {
      const line = `${'x'.repeat(before)}hush-hush-hush${'y'.repeat(100)}`;
      expect(scrub(linesOf([Buffer.from(line)], scrub)[0]!)).not.toMatch(/hus?/u);
    }
  });

  it('never leaves the beginning of a long secret before a cut', () => {
    const secret = 'hush-'.repeat(20_000);
    const scrub = (text: string): string => text.replaceAll(secret, '[secret]');
    const [line] = linesOf([Buffer.from(`key: ${secret}\n`)], scrub);
    expect(line).toBe('key:  [cut]');
  });
});
