import assert from 'node:assert/strict';
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import type { Event, Store } from '@mcpinfra/core/plugin';
import { exampleEvent, exampleEvents, exampleInstance } from './example-rows.js';
import { gaplessIds, numberAll } from './log-tail.js';
import { outcomesOf, times } from './outcomes.js';
import { storeCase } from './store-bench.js';

/** Appends in transactions at once, three events each, named by the transaction. */
function appendAtOnce(stores: readonly Store[], count: number): Promise<unknown> {
  return Promise.all(
    times(count, (n) => {
      const store = stores[n % stores.length];
      assert.ok(store, 'there is a store');
      return store.transaction(async (writer) => {
        await writer.appendEvents([exampleEvent({ id: `${n}-0` })]);
        await writer.createInstance(exampleInstance(), { events: [exampleEvent({ id: `${n}-1` })] });
        await writer.appendEvents([exampleEvent({ id: `${n}-2` })]);
      });
    }),
  );
}

/** Reads on from the last event that was seen until there is no more. */
async function readOn(store: Store, seen: Event[]): Promise<void> {
  for (;;) {
    const batch = await store.events.read({ after: seen.at(-1)?.position ?? 0, limit: 3 });
    if (batch.length === 0) return;
    seen.push(...batch);
  }
}

function assertAllInOrder(ids: readonly string[], count: number): void {
  assert.equal(ids.length, count * 3, 'each event is there once');
  for (let n = 0; n < count; n += 1) {
    const own = ids.filter((id) => id.startsWith(`${n}-`));
    assert.deepEqual(own, [`${n}-0`, `${n}-1`, `${n}-2`], 'events of a transaction keep their order');
  }
}

/** What becomes of the log when many write, number and read at once. */
export const eventsAtOnceCases = [
  storeCase(
    'events/at-once',
    'Transactions at once leave positions without gaps, each event once, and those of a transaction in order.',
    async (store, bench) => {
      await appendAtOnce([store, await bench.beside()], 20);
      await numberAll(store);
      assertAllInOrder(await gaplessIds(store), 20);
    },
  ),
  storeCase(
    'events/reader',
    'A reader that goes on from the last position it saw, while others commit and a relay numbers, sees each event once and in order.',
    async (store, bench) => {
      const other = await bench.beside();
      const writers = { busy: true };
      const appended = outcomesOf([appendAtOnce([store, other], 20)]).finally(() => (writers.busy = false));
      const seen: Event[] = [];
      while (writers.busy) {
        await store.events.number(4);
        await readOn(other, seen);
        // A store in memory answers without ever letting go of the thread, which the writers need too.
        await nextTurn();
      }
      assert.deepEqual((await appended).codes, [], 'no transaction failed');
      await numberAll(store);
      await readOn(other, seen);
      const ids = seen.map(({ id }) => id);
      assert.deepEqual(ids, await gaplessIds(store), 'the reader saw what is in the log, in its order');
      assertAllInOrder(ids, 20);
    },
  ),
  storeCase(
    'events/slow-transaction',
    'Events of a transaction that commits after later ones were numbered are numbered next, and none is lost.',
    async (store, bench) => {
      const other = await bench.beside();
      let meanwhile: Promise<unknown> = Promise.resolve();
      await store.transaction(async (writer) => {
        await writer.appendEvents([exampleEvent({ id: 'slow-0' })]);
        // A store that makes one transaction at a time has the other one wait until this one has ended.
        meanwhile = other.appendEvents([exampleEvent({ id: 'quick' })]).then(() => other.events.number(9));
        await Promise.race([meanwhile, wait(250)]);
        await writer.appendEvents([exampleEvent({ id: 'slow-1' })]);
      });
      await meanwhile;
      await numberAll(store);
      const ids = await gaplessIds(store);
      assert.deepEqual(ids.toSorted(), ['quick', 'slow-0', 'slow-1'], 'each event is there once');
      assert.deepEqual(
        ids.filter((id) => id !== 'quick'),
        ['slow-0', 'slow-1'],
      );
    },
  ),
  storeCase(
    'events/two-relays',
    'Relays that number at once give each event one position and leave no gap.',
    async (store, bench) => {
      const other = await bench.beside();
      const given = exampleEvents(40);
      for (const event of given) await store.appendEvents([event]);
      const batches = await Promise.all(
        times(12, async (n) => (n % 2 === 0 ? store : other).events.number(5)),
      );
      const numbered = [...batches.flat(), ...(await numberAll(store))];
      assert.equal(numbered.length, 40, 'each event is given to one relay');
      assert.deepEqual(
        await gaplessIds(store),
        given.map(({ id }) => id),
        'the events have the order of their commits',
      );
    },
  ),
];
