import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BoundedCalls } from './bounded-calls.js';

it('calls in order, with no more at once than it may, and refuses only what finds no place', async () => {
  const step = fc.oneof(fc.constant('push' as const), fc.constant('push now' as const), fc.nat(9));
  await fc.assert(
    fc.asyncProperty(
      fc.array(step),
      fc.integer({ min: 1, max: 4 }),
      fc.nat(4),
      async (steps, atOnce, waiting) => {
        const called: number[] = [];
        const refused: number[] = [];
        const running: (() => void)[] = [];
        let most = 0;
        const immediate = new Set<number>();
        const calls = new BoundedCalls<number>(
          (n) => {
            called.push(n);
            if (immediate.has(n)) return undefined;
            return new Promise<void>((resolve) => {
              running.push(resolve);
              most = Math.max(most, running.length);
            });
          },
          { atOnce, waiting, onRefused: (n) => void refused.push(n) },
        );
        let pushed = 0;
        for (const one of steps) {
          if (typeof one === 'number') {
            running.splice(one % Math.max(1, running.length), 1).forEach((end) => end());
            await Promise.resolve();
            await Promise.resolve();
            continue;
          }
          pushed += 1;
          if (one === 'push now') immediate.add(pushed);
          const isFull = running.length === atOnce && pushed - 1 - called.length - refused.length === waiting;
          const before = refused.length;
          calls.push(pushed);
          expect(refused.length - before).toBe(isFull ? 1 : 0);
        }
        while (running.length > 0) {
          running.shift()?.();
          await Promise.resolve();
          await Promise.resolve();
        }
        expect(most).toBeLessThanOrEqual(atOnce);
        expect(called).toEqual([...called].sort((a, b) => a - b));
        expect([...called, ...refused].sort((a, b) => a - b)).toEqual(
          Array.from({ length: pushed }, (_, n) => n + 1),
        );
      },
    ),
  );
});

it('forgets what waits when it is told to', async () => {
  const called: number[] = [];
  const running: (() => void)[] = [];
  const call = (n: number): Promise<void> => {
    called.push(n);
    return new Promise((resolve) => running.push(resolve));
  };
  const calls = new BoundedCalls(call, { atOnce: 1 });
  for (const n of [1, 2, 3]) calls.push(n);
  calls.clear();
  running.forEach((end) => end());
  await Promise.resolve();
  calls.push(4);
  expect(called).toEqual([1, 4]);
});
