import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { microtasks } from './microtasks.fixture.js';
import { SingleFlight } from './single-flight.js';

const steps = fc.nat({ max: 12 });

describe('work that is done once at a time', () => {
  it('begins after each request for it, at whatever microtask the request comes', async () => {
    const request = fc.record({ after: steps, twice: fc.boolean() });
    const run = fc.record({ takes: steps, fails: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(
        fc.array(request, { minLength: 1, maxLength: 12 }),
        fc.array(run, { minLength: 1, maxLength: 4 }),
        async (requests, runs) => {
          let begun = 0;
          let working = 0;
          const failures: unknown[] = [];
          const flight = new SingleFlight(
            async () => {
              const { takes, fails } = runs[begun++ % runs.length]!;
              expect(++working).toBe(1);
              await microtasks(takes);
              working -= 1;
              if (fails) throw new Error('failed');
            },
            (error) => {
              failures.push(error);
              throw error;
            },
          );
          const answered: Promise<void>[] = [];
          for (const { after, twice } of requests) {
            await microtasks(after);
            const before = begun;
            answered.push(flight.run().then(() => expect(begun).toBeGreaterThan(before)));
            if (twice) void flight.run();
          }
          await Promise.all(answered);
          await flight.settled();
          expect(working).toBe(0);
          expect(begun).toBeLessThanOrEqual(requests.length);
        },
      ),
    );
  });

  it('is found by one who asks in each microtask around its end', async () => {
    for (let after = 0; after < 40; after++) {
      let begun = 0;
      const flight = new SingleFlight(
        async () => {
          begun += 1;
          await microtasks(15);
        },
        () => undefined,
      );
      void flight.run();
      await microtasks(after);
      const before = begun;
      await flight.run();
      expect(begun).toBeGreaterThan(before);
    }
  });
});
