import { describe, expect, it } from 'vitest';
import { retryDelayMs } from './backoff.js';

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
