import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { manualClock } from '../testing/manual-clock.js';
import { microtasks } from './microtasks.fixture.js';
import { Recurring } from './recurring.js';

describe('work that recurs', () => {
  it('never falls asleep, whatever is asked of it in which microtask and however its runs end', async () => {
    const step = fc.record({ after: fc.nat({ max: 20 }), asks: fc.nat({ max: 2 }), ms: fc.nat({ max: 30 }) });
    const run = fc.record({ takes: fc.nat({ max: 20 }), fails: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 8 }),
        fc.array(run, { minLength: 1, maxLength: 3 }),
        async (script, runs) => {
          const clock = manualClock();
          let begun = 0;
          const recurring = new Recurring({
            clock,
            retryMs: 10,
            failed: () => undefined,
            work: async () => {
              const { takes, fails } = runs[begun++ % runs.length]!;
              await microtasks(takes);
              if (fails) throw new Error('failed');
              return 10;
            },
          });
          await recurring.now();
          for (const { after, asks, ms } of script) {
            await microtasks(after);
            for (let asked = 0; asked < asks; asked++) void recurring.now();
            if (ms > 25) await clock.advance(ms);
          }
          await clock.advance(0);
          expect(clock.pending).toBe(1);
          const before = begun;
          await clock.advance(10);
          expect(begun).toBe(before + 1);
          await recurring.stop();
          expect(clock.pending).toBe(0);
          await recurring.now();
          await clock.advance(100);
          expect(begun).toBe(before + 1);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('sets no timer after it was stopped during a run', async () => {
    const clock = manualClock();
    let finish: () => void = () => undefined;
    const recurring = new Recurring({
      clock,
      retryMs: 10,
      failed: () => undefined,
      work: () => new Promise((resolve) => (finish = () => resolve(5))),
    });
    void recurring.now();
    await clock.advance(0);
    const stopped = recurring.stop();
    finish();
    await stopped;
    expect(clock.pending).toBe(0);
  });
});
