import { describe, expect, it } from 'vitest';
import { manualClock } from '../testing/manual-clock.js';
import { retry, retryDelayMs } from './retry.js';

describe('the back-off', () => {
  it('is none for the first failure, then doubles from one second to a minute', () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 8, 9, 100].map((failures) => retryDelayMs(failures, 0));
    expect(waits).toEqual([0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  });

  it('is shortened by at most a quarter', () => {
    expect(retryDelayMs(4, 0.999)).toBeGreaterThanOrEqual(3_000);
    expect(retryDelayMs(4, 0.5)).toBe(3_500);
  });
});

describe('work that is tried again', () => {
  it('ends with its first success', async () => {
    const clock = manualClock();
    const waits: number[] = [];
    let tries = 0;
    const result = retry(
      async () => {
        if (++tries < 3) throw new Error('away');
        return tries;
      },
      { clock, delayMs: (failures) => (waits.push(failures), failures * 10) },
    );
    await clock.advance(30);
    expect(await result).toBe(3);
    expect(waits).toEqual([1, 2]);
    expect(clock.pending).toBe(0);
  });

  it('ends with its own error when it is given up, and with that of the signal when it is aborted', async () => {
    const clock = manualClock();
    const boom = new Error('boom');
    const fail = () => Promise.reject(boom);
    await expect(retry(fail, { clock, delayMs: () => null })).rejects.toBe(boom);
    const abort = new AbortController();
    const aborted = expect(
      retry(fail, { clock, signal: abort.signal, delayMs: () => 10 }),
    ).rejects.toMatchObject({ code: 'ABORTED' });
    await clock.advance(5);
    abort.abort();
    await aborted;
    expect(clock.pending).toBe(0);
  });
});
