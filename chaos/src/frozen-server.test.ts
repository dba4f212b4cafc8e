import { describe, expect, it } from 'vitest';
import { isTrustedTooLong, trustMs } from './frozen-server.js';
import type { Outage } from './outages.js';

const store: Outage = { of: 'store', members: ['worker-0'], how: 'read-only', fromMs: 5_000, toMs: 12_000 };

describe('isTrustedTooLong', () => {
  it('gives a server that answers nothing the time of its checks', () => {
    expect(isTrustedTooLong(1_000, 1_000 + trustMs, [])).toBe(false);
    expect(isTrustedTooLong(1_000, 1_001 + trustMs, [])).toBe(true);
  });

  it('gives it more after something else was wrong, and all the time while it is', () => {
    expect(isTrustedTooLong(1_000, 30_000, [store])).toBe(false);
    expect(isTrustedTooLong(1_000, 12_000 + 20_001 + trustMs, [store])).toBe(true);
    expect(isTrustedTooLong(1_000, 900_000, [{ ...store, toMs: Infinity }])).toBe(false);
    expect(isTrustedTooLong(1_000, 30_000, [{ ...store, of: 'event-bus' }])).toBe(true);
  });
});
