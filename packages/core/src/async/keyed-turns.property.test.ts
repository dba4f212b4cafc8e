import fc from 'fast-check';
import { expect, it } from 'vitest';
import { KeyedTurns } from './keyed-turns.js';
import { microtasks } from './microtasks.fixture.js';

it('work on one key is done one after another in the order it came, whoever gives up waiting', async () => {
  const job = fc.record({
    key: fc.constantFrom('a', 'b'),
    after: fc.nat({ max: 6 }),
    takes: fc.nat({ max: 8 }),
    fails: fc.boolean(),
    abortAfter: fc.option(fc.nat({ max: 6 })),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(job, { maxLength: 10 }), async (jobs) => {
      const turns = new KeyedTurns();
      const working = new Set<string>();
      const done: Record<string, number[]> = { a: [], b: [] };
      const all: Promise<unknown>[] = [];
      for (const [index, { key, after, takes, fails, abortAfter }] of jobs.entries()) {
        await microtasks(after);
        const abort = new AbortController();
        const turn = turns.take(key, abort.signal, async () => {
          expect(working.has(key)).toBe(false);
          working.add(key);
          await microtasks(takes);
          working.delete(key);
          done[key]!.push(index);
          if (fails) throw new Error('failed');
        });
        all.push(turn.catch(() => undefined));
        if (abortAfter !== null) void microtasks(abortAfter).then(() => abort.abort());
      }
      await Promise.all(all);
      for (const order of Object.values(done)) expect(order).toEqual(order.toSorted((x, y) => x - y));
      const given = jobs.filter(({ abortAfter }) => abortAfter === null).length;
      expect(done['a']!.length + done['b']!.length).toBeGreaterThanOrEqual(given);
    }),
  );
});
