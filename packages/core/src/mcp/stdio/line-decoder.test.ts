import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineDecoder } from './line-decoder.js';

function decodeAll(chunks: readonly Buffer[], maxBytes = 1024 * 1024) {
  const values: unknown[] = [];
  const garbage: number[] = [];
  const decoder = new LineDecoder({ maxBytes: () => maxBytes, onGarbage: (bytes) => garbage.push(bytes) });
  for (const chunk of chunks) decoder.push(chunk, (value) => values.push(value));
  decoder.end((value) => values.push(value));
  return { values, garbage };
}

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const cuts = [0, ...at.map((n) => n % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return cuts.slice(1).map((end, index) => bytes.subarray(cuts[index], end));
}

describe('LineDecoder', () => {
  it('yields the same values however the bytes are cut', () => {
    const line = fc.oneof(
      fc.json({ maxDepth: 3 }).map((text) => Buffer.from(text)),
      fc.string({ unit: 'grapheme' }).map((text) => Buffer.from(text.replaceAll('\n', ' '))),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0x0a))),
    );
    const lines = fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\n\n')), { maxLength: 12 });
    fc.assert(
      fc.property(lines, fc.array(fc.nat(), { maxLength: 30 }), (given, at) => {
        const bytes = Buffer.concat(given.flatMap(([text, end]) => [text, Buffer.from(end)]));
        expect(decodeAll(cut(bytes, at))).toEqual(decodeAll([bytes]));
      }),
    );
  });

  it('yields every JSON line and nothing else, whatever garbage is between them', () => {
    const garbage = fc.constantFrom('Listening on stdio', '{"half', '\u{feff}', '}{', '\u0000\u001b[31mred');
    const item = fc.oneof(fc.record({ n: fc.integer() }), garbage);
    fc.assert(
      fc.property(fc.array(item), fc.array(fc.nat(), { maxLength: 10 }), (items, at) => {
        const text = items.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join('\n');
        const { values } = decodeAll(cut(Buffer.from(text), at));
        expect(values).toEqual(items.filter((one) => typeof one !== 'string'));
      }),
    );
  });

  it('reads a message whose text has invalid UTF-8 in it', () => {
    const line = Buffer.concat([Buffer.from('{"text":"'), Buffer.from([0xff, 0xc3]), Buffer.from('"}\n')]);
    expect(decodeAll([line]).values).toEqual([{ text: '\u{fffd}\u{fffd}' }]);
  });

  it('keeps a character that is cut in the middle', () => {
    const line = Buffer.from('"ä€😀"\n');
    expect(decodeAll([...line].map((byte) => Buffer.from([byte]))).values).toEqual(['ä€😀']);
  });

  it('reads a last line without a line end', () => {
    expect(decodeAll([Buffer.from('1\n2')]).values).toEqual([1, 2]);
  });

  it('reports what it skipped by its size only', () => {
    expect(decodeAll([Buffer.from('not json\n\n  \n1\n')])).toEqual({ values: [1], garbage: [8] });
  });

  it.each([
    ['one chunk', [Buffer.from(`"${'x'.repeat(100)}"\n`)]],
    ['many chunks without a line end', Array.from({ length: 20 }, () => Buffer.from('xxxxxx'))],
  ])('refuses a line beyond the limit in %s', (_, chunks) => {
    expect(() => decodeAll(chunks, 64)).toThrow(expect.objectContaining({ code: 'MESSAGE_TOO_LARGE' }));
  });

  it('takes any number of lines that are each within the limit', () => {
    const chunks = Array.from({ length: 50 }, () => Buffer.from(`"${'x'.repeat(60)}"\n`));
    expect(decodeAll(chunks, 64).values).toHaveLength(50);
  });
});
