import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TokenBucket } from './token-bucket.js';

describe('TokenBucket', () => {
  it('lets a burst through and then no more than so much per second, of who waits as told', () => {
    const step = fc.record({
      amount: fc.integer({ min: 0, max: 50 }),
      restMs: fc.integer({ min: 0, max: 2_000 }),
    });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        let nowMs = 0;
        const bucket = new TokenBucket({ clock: { monotonicMs: () => nowMs }, perSecond: 10, burst: 20 });
        let spent = 0;
        for (const { amount, restMs } of steps) {
          spent += amount;
          nowMs += bucket.spend(amount);
          expect(spent).toBeLessThanOrEqual(20 + (nowMs * 10) / 1_000 + 1e-6);
          nowMs += restMs;
        }
      }),
    );
  });

  it('asks nobody to wait who spends less', () => {
    let nowMs = 0;
    const bucket = new TokenBucket({ clock: { monotonicMs: () => nowMs }, perSecond: 10, burst: 20 });
    for (let at = 0; at < 100; at += 1) {
      expect(bucket.spend(1)).toBe(0);
      nowMs += 100;
    }
  });
});
