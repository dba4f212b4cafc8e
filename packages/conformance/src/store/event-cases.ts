import assert from 'node:assert/strict';
import type { Event } from '@mcpinfra/core/plugin';
import { exampleEvent, exampleEvents, exampleInstance, exampleServer } from './example-rows.js';
import { gaplessIds, loggedIds, numberAll } from './log-tail.js';
import { storeCase } from './store-bench.js';

const silent = { events: [] };

function places(events: readonly Event[]): (readonly [string, number])[] {
  return events.map(({ id, position }) => [id, position] as const);
}

/** How committed events get their positions. */
export const eventCases = [
  storeCase(
    'events/unnumbered',
    'Events that are not numbered yet are not read, and head() does not count them.',
    async (store) => {
      assert.equal(await store.events.head(), 0, 'head() of an empty log is 0');
      assert.deepEqual(await store.events.number(9), []);
      await store.appendEvents(exampleEvents(2));
      assert.deepEqual(await store.events.read({ after: 0, limit: 9 }), []);
      assert.equal(await store.events.head(), 0);
    },
  ),
  storeCase(
    'events/number',
    'number() gives what is new its positions, from 1 on without gaps, oldest first and as many as asked for.',
    async (store) => {
      const given = exampleEvents(5);
      await store.appendEvents(given.slice(0, 3));
      await store.appendEvents(given.slice(3));
      const ids = given.map(({ id }) => id);
      assert.deepEqual(places(await store.events.number(2)), [
        [ids[0], 1],
        [ids[1], 2],
      ]);
      assert.equal(await store.events.head(), 2);
      assert.deepEqual(places(await store.events.number(9)), [
        [ids[2], 3],
        [ids[3], 4],
        [ids[4], 5],
      ]);
      assert.deepEqual(await store.events.number(9), [], 'an event is numbered once');
      assert.deepEqual(await gaplessIds(store), ids);
    },
  ),
  storeCase(
    'events/one-after-the-other',
    'What was committed before another write began has the lower position, whoever wrote it.',
    async (store, bench) => {
      const stores = [store, await bench.beside()];
      const ids: string[] = [];
      for (let n = 0; n < 10; n += 1) {
        const event = exampleEvent();
        ids.push(event.id);
        await stores[n % 2]?.appendEvents([event]);
      }
      await numberAll(store);
      assert.deepEqual(await gaplessIds(store), ids);
    },
  ),
  storeCase(
    'events/versions',
    'An event carries the resourceVersion of its row after the write: 1, then one more, for a delete one more again, and 0 without a row.',
    async (store) => {
      const of = (id: string) => ({ events: [exampleEvent({ id })] });
      const server = await store.createServer(exampleServer(), of('server created'));
      await store.updateServer(server, of('server updated'));
      await store.deleteServer(server.id, of('server deleted'));
      const instance = await store.createInstance(exampleInstance(), of('created'));
      await store.deleteInstance(await store.updateInstance(instance, of('updated')), of('deleted'));
      await store.appendEvents([exampleEvent({ id: 'no row' })]);
      const versions = (await numberAll(store)).map(({ id, resourceVersion }) => [id, resourceVersion]);
      assert.deepEqual(versions, [
        ['server created', 1],
        ['server updated', 2],
        ['server deleted', 3],
        ['created', 1],
        ['updated', 2],
        ['deleted', 3],
        ['no row', 0],
      ]);
    },
  ),
  storeCase('events/with-the-row-only', 'A write that is refused leaves no event.', async (store) => {
    const server = await store.createServer(exampleServer(), silent);
    const instance = await store.createInstance(exampleInstance(), silent);
    await store.updateInstance(instance, silent);
    const effects = { events: exampleEvents(2) };
    const limited = { ...effects, counters: [{ name: 'instances', by: 1, max: 0 }] };
    const writes = [
      store.createServer(server, effects),
      store.updateServer({ ...server, resourceVersion: 9 }, effects),
      store.createInstance(instance, effects),
      store.createInstance(exampleInstance(), limited),
      store.updateInstance(instance, effects),
      store.deleteInstance(instance, effects),
    ];
    const settled = await Promise.allSettled(writes);
    assert.deepEqual(
      settled.map(({ status }) => status),
      Array(6).fill('rejected'),
      'each of the writes is refused',
    );
    assert.deepEqual(await loggedIds(store), []);
  }),
];
