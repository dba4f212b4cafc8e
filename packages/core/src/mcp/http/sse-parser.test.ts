import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SSEParser } from './sse-parser.js';

function parse(chunks: readonly Uint8Array[]) {
  const data: string[] = [];
  const parser = new SSEParser((text) => data.push(text));
  for (const chunk of chunks) parser.push(chunk);
  return data;
}

const parseText = (text: string) => parse([Buffer.from(text)]);

describe('SSEParser', () => {
  it('yields the same data however the bytes are cut, by whichever line ends', () => {
    const line = fc.oneof(
      fc.string({ unit: 'grapheme' }).map((text) => `data: ${text.replaceAll(/[\r\n]/g, ' ')}`),
      fc.constantFrom(
        ': comment',
        'event: message',
        'event: other',
        'id: 1',
        'retry: 5',
        '',
        'data',
        'data:x',
      ),
    );
    const lines = fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\r')), { maxLength: 20 });
    fc.assert(
      fc.property(lines, fc.array(fc.nat(), { maxLength: 30 }), (given, at) => {
        const bytes = Buffer.from(given.flat().join(''));
        const cuts = [0, ...at.map((n) => n % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
        const chunks = cuts.slice(1).map((end, index) => bytes.subarray(cuts[index], end));
        expect(parse(chunks)).toEqual(parse([bytes]));
      }),
    );
  });

  it('joins the data lines of one event', () => {
    expect(parseText('data: a\ndata:b\ndata:  c\n\n')).toEqual(['a\nb\n c']);
  });

  it('leaves out comments, other events and an event that is not complete', () => {
    expect(parseText(': hi\n\nevent: ping\ndata: 1\n\nevent: message\ndata: 2\n\ndata: 3\n')).toEqual(['2']);
  });
});
