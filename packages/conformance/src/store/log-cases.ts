import assert from 'node:assert/strict';
import type { EventDraft, EventQuery, Store } from '@mcpinfra/core/plugin';
import { rejectsWith } from '../rejects-with.js';
import { exampleEvent, exampleEvents, timeAfter } from './example-rows.js';
import { numberAll } from './log-tail.js';
import { times } from './outcomes.js';
import { durableCase, storeCase } from './store-bench.js';

function degraded(change: Partial<EventDraft<'FleetDegraded'>>): EventDraft<'FleetDegraded'> {
  const data = { part: 'store', reason: 'STORE_FAILED', message: 'away' } as const;
  return { ...exampleEvent(), type: 'FleetDegraded', data, ...change };
}

async function ids(store: Store, query: Partial<EventQuery>): Promise<string[]> {
  return (await store.events.read({ after: 0, limit: 99, ...query })).map(({ id }) => id);
}

/** Events that are a second apart, numbered. */
async function seed(store: Store, count: number): Promise<void> {
  await store.appendEvents(
    Array.from({ length: count }, (_, n) => exampleEvent({ id: `e${n + 1}`, time: timeAfter(n * 1000) })),
  );
  await numberAll(store);
}

/** How the log is read, kept and cut. */
export const logCases = [
  storeCase(
    'log/read',
    'read() gives events above a position, oldest first, at most as many as asked for.',
    async (store) => {
      await seed(store, 5);
      assert.deepEqual(await ids(store, { after: 2 }), ['e3', 'e4', 'e5']);
      assert.deepEqual(await ids(store, { after: 1, limit: 2 }), ['e2', 'e3']);
      assert.deepEqual(await ids(store, { after: 5 }), [], 'nothing is above the head');
      assert.deepEqual(await ids(store, { after: 99 }), [], 'nothing is far above the head');
    },
  ),
  storeCase(
    'log/filters',
    'read() can be restricted by tenant, types and subject; the limit counts what matches.',
    async (store) => {
      await store.appendEvents([
        exampleEvent({ id: 'a' }),
        exampleEvent({ id: 'b', tenant: 't' }),
        exampleEvent({ id: 'c', subject: 's' }),
        degraded({ id: 'd' }),
        degraded({ id: 'e', tenant: 't', subject: 's' }),
      ]);
      await numberAll(store);
      assert.deepEqual(await ids(store, { tenant: 't' }), ['b', 'e']);
      assert.deepEqual(await ids(store, { tenant: '' }), ['a', 'c', 'd']);
      assert.deepEqual(await ids(store, { subject: 's' }), ['c', 'e']);
      assert.deepEqual(await ids(store, { types: ['FleetDegraded'] }), ['d', 'e']);
      assert.deepEqual(await ids(store, { types: ['FleetDegraded', 'MCPServerCreated'] }), ['d', 'e']);
      assert.deepEqual(await ids(store, { types: ['MCPServerCreated'] }), []);
      assert.deepEqual(await ids(store, { tenant: 't', types: ['FleetDegraded'], subject: 's' }), ['e']);
      assert.deepEqual(await ids(store, { types: ['FleetDegraded'], limit: 1 }), ['d']);
      assert.deepEqual(await ids(store, { types: ['FleetDegraded'], after: 4, limit: 1 }), ['e']);
    },
  ),
  storeCase('log/up-to', 'read() gives no event above the position it is to end at.', async (store) => {
    await seed(store, 5);
    assert.deepEqual(await ids(store, { after: 1, upTo: 3 }), ['e2', 'e3']);
    assert.deepEqual(await ids(store, { after: 3, upTo: 3 }), []);
    assert.deepEqual(await ids(store, { after: 3, upTo: 99 }), ['e4', 'e5']);
  }),
  storeCase(
    'log/filter-with-trimming',
    'A reader that finds nothing up to the head goes on from there, and misses nothing when all before is trimmed.',
    async (store) => {
      const types = ['FleetDegraded'] as const;
      await store.appendEvents([exampleEvent({ id: 'a' }), exampleEvent({ id: 'b' }), degraded({ id: 'c' })]);
      await store.events.number(2);
      const looked = await store.events.head();
      assert.deepEqual(await ids(store, { types }), [], 'what has no position is not read');
      await numberAll(store);
      assert.deepEqual(await ids(store, { after: looked, types }), ['c'], 'head() was not ahead of read()');
      await seed(store, 3);
      const after = await store.events.head();
      await store.events.trim(timeAfter(60_000));
      await store.appendEvents([degraded({ id: 'd' })]);
      await numberAll(store);
      assert.deepEqual(await ids(store, { after, types }), ['d'], 'nothing above it was removed');
    },
  ),
  storeCase('log/cursor', 'A group’s cursor is null until one is saved, 0 included.', async (store) => {
    assert.equal(await store.events.cursor('a'), null);
    await store.events.saveCursor('a', 0);
    assert.equal(await store.events.cursor('a'), 0);
    await store.events.saveCursor('a', 7);
    assert.equal(await store.events.cursor('a'), 7);
    assert.equal(await store.events.cursor('A'), null, 'each group has its own');
  }),
  storeCase('log/cursor-forward', 'A group’s cursor never goes back.', async (store, bench) => {
    const other = await bench.beside();
    await store.events.saveCursor('a', 5);
    await store.events.saveCursor('a', 3);
    assert.equal(await store.events.cursor('a'), 5, 'a lower position is ignored');
    await Promise.all(times(20, async (n) => (n % 2 === 0 ? store : other).events.saveCursor('a', 20 - n)));
    assert.equal(await store.events.cursor('a'), 20, 'of positions saved at once the highest stays');
  }),
  storeCase(
    'log/trim',
    'trim() removes the events older than a point in time and tells how many.',
    async (store) => {
      await seed(store, 5);
      assert.equal(await store.events.trim(timeAfter(0)), 0, 'the first event is not older than itself');
      assert.equal(await store.events.trim(timeAfter(2000)), 2);
      assert.equal(await store.events.trim(timeAfter(2000)), 0, 'they are gone already');
      assert.deepEqual(await ids(store, { after: 2 }), ['e3', 'e4', 'e5']);
      assert.equal(await store.events.head(), 5);
    },
  ),
  storeCase(
    'log/trim-numbered-only',
    'trim() never removes an event that has no position yet.',
    async (store) => {
      await store.appendEvents(exampleEvents(3));
      const [first] = await store.events.number(1);
      assert.equal(await store.events.trim(timeAfter(60_000)), 1, 'one of three was numbered');
      const rest = await numberAll(store);
      assert.equal(first?.position, 1);
      assert.deepEqual(
        rest.map(({ position }) => position),
        [2, 3],
        'the others are numbered next',
      );
    },
  ),
  storeCase(
    'log/expired',
    'read() from a position above which events were removed rejects with CURSOR_EXPIRED, whatever it asks for.',
    async (store) => {
      await seed(store, 5);
      await store.events.trim(timeAfter(2000));
      for (const after of [0, 1]) {
        const reading = store.events.read({ after, subject: 'nothing', limit: 9 });
        await rejectsWith(['CURSOR_EXPIRED'], `read() after ${after}, of which 2 is gone`, reading);
      }
      assert.deepEqual(await ids(store, { after: 2 }), ['e3', 'e4', 'e5'], 'nothing above 2 was removed');
    },
  ),
  storeCase(
    'log/trim-all',
    'When everything was removed the head stays, older cursors are CURSOR_EXPIRED, and positions go on.',
    async (store) => {
      await seed(store, 3);
      assert.equal(await store.events.trim(timeAfter(60_000)), 3);
      assert.equal(await store.events.head(), 3, 'head() does not go back');
      await rejectsWith(['CURSOR_EXPIRED'], 'read() after 2', store.events.read({ after: 2, limit: 1 }));
      assert.deepEqual(await ids(store, { after: 3 }), [], 'read() from the head is not expired');
      await store.appendEvents([exampleEvent({ id: 'next' })]);
      assert.equal((await store.events.number(9))[0]?.position, 4);
      assert.deepEqual(await ids(store, { after: 3 }), ['next']);
    },
  ),
  durableCase(
    'log/trim-all-kept',
    'The head and what is expired are known after the store was closed, though no event is left.',
    async (store, bench) => {
      await seed(store, 3);
      await store.events.trim(timeAfter(60_000));
      const { store: again } = await bench.reopen();
      assert.equal(await again.events.head(), 3, 'head() is kept');
      await rejectsWith(['CURSOR_EXPIRED'], 'read() after 2', again.events.read({ after: 2, limit: 1 }));
      await again.appendEvents([exampleEvent()]);
      assert.equal((await again.events.number(9))[0]?.position, 4, 'no position is given twice');
    },
  ),
];
