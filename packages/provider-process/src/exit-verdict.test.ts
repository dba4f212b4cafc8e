import { describe, expect, it } from 'vitest';
import { toExitRecord, type ExitFacts } from './exit-verdict.js';

const crash: ExitFacts = {
  at: new Date(0),
  exitCode: 1,
  signal: null,
  lines: [],
  verdict: undefined,
  wasStopped: false,
};

describe('an exit record', () => {
  it('says what is known, and no code where nothing is', () => {
    expect(toExitRecord(crash)).toEqual({
      at: '1970-01-01T00:00:00.000Z',
      exitCode: 1,
      signal: null,
      oomKilled: false,
      lastLogLines: [],
    });
  });

  it.each([
    [{ exitCode: 134 }, 'OUT_OF_MEMORY'],
    [
      { exitCode: null, signal: 'SIGABRT', lines: ['FATAL ERROR: JavaScript heap out of memory'] },
      'OUT_OF_MEMORY',
    ],
    [{ exitCode: null, signal: 'SIGABRT', lines: ['Assertion failed'] }, undefined],
    [{ lines: ['Error: listen EADDRINUSE: address already in use 127.0.0.1:80'] }, 'PORT_IN_USE'],
    [{ lines: ['[Errno 98] Address already in use'] }, 'PORT_IN_USE'],
    [{ exitCode: 0, lines: ['EADDRINUSE, trying the next port'] }, undefined],
    [{ exitCode: 134, wasStopped: true }, undefined],
  ] as const)('of %o has the code %s', (facts, code) => {
    expect(toExitRecord({ ...crash, ...facts }).code).toBe(code);
  });

  it('shows the newest lines only, and not all of a long one', () => {
    const lines = Array.from({ length: 30 }, (_, n) => `${n} ${'x'.repeat(5_000)}`);
    const { lastLogLines } = toExitRecord({ ...crash, lines });
    expect(lastLogLines).toHaveLength(20);
    expect(lastLogLines[0]).toBe(`10 ${'x'.repeat(997)} [cut]`);
  });

  it('finds the reason of an abort before its stack trace', () => {
    const lines = [
      'FATAL ERROR: heap out of memory',
      ...Array.from({ length: 40 }, (_, n) => `${n}: 0xb0ab`),
    ];
    expect(toExitRecord({ ...crash, lines }).code).toBe('OUT_OF_MEMORY');
  });

  it('keeps why the provider ended it', () => {
    const verdict = { code: 'OUT_OF_MEMORY', sentence: 'too much' } as const;
    expect(toExitRecord({ ...crash, verdict })).toMatchObject({ code: 'OUT_OF_MEMORY', oomKilled: true });
    expect(toExitRecord({ ...crash, verdict: { ...verdict, code: 'PIDS_LIMIT' } })).toMatchObject({
      oomKilled: false,
    });
  });
});
