import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameDemultiplexer } from './frame-demultiplexer.js';
import { LogReader } from './log-reader.js';

const frame = (stream: 1 | 2, payload: string | Uint8Array): Buffer => {
  const bytes = Buffer.from(payload);
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
};

describe('frames of an engine', () => {
  it('are taken apart wherever the chunks are cut', () => {
    const frames = fc.array(
      fc.record({
        stream: fc.constantFrom(1 as const, 2 as const),
        payload: fc.uint8Array({ maxLength: 50 }),
      }),
      { maxLength: 10 },
    );
    const property = fc.property(
      frames,
      fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }),
      (given, cuts) => {
        const got = { stdout: '', stderr: '' };
        const demultiplexer = new FrameDemultiplexer((stream, bytes) => {
          got[stream] += bytes.toString('latin1');
        });
        const all = Buffer.concat(given.map(({ stream, payload }) => frame(stream, payload)));
        for (let at = 0, i = 0; at < all.length; i += 1) {
          const length = cuts[i % cuts.length] ?? 1;
          demultiplexer.push(all.subarray(at, at + length));
          at += length;
        }
        const wanted = (stream: 1 | 2): string =>
          given
            .filter((one) => one.stream === stream)
            .map(({ payload }) => Buffer.from(payload).toString('latin1'))
            .join('');
        expect(got).toEqual({ stdout: wanted(1), stderr: wanted(2) });
      },
    );
    fc.assert(property);
  });
});

describe('the log of a container', () => {
  const at = '2026-01-01T00:00:00.123456789Z';

  it('is read line by line, long lines put together again, secrets replaced before anything is cut', () => {
    const reader = new LogReader((text) => text.replaceAll('hunter2', '[secret]'));
    const lines = [
      ...reader.push(frame(1, `${at} first\r\n`)),
      ...reader.push(frame(2, `${at} of another stream\n`)),
      ...reader.push(frame(1, `${at} ${'x'.repeat(16_380)}hunt`)),
      ...reader.push(frame(1, `${at} er2 and the rest\n`)),
      ...reader.push(frame(1, `${at} without an end`)),
      ...reader.end(),
    ];
    expect(lines.map(({ stream }) => stream)).toEqual(['stdout', 'stderr', 'stdout', 'stdout']);
    expect(lines.map(({ text }) => text.slice(0, 20))).toEqual([
      'first',
      'of another stream',
      'x'.repeat(20),
      'without an end',
    ]);
    expect(lines[2]?.text).toMatch(/x\[sec \[cut\]$/);
    expect(lines[0]?.at).toBe(at);
  });
});
