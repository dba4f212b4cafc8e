import assert from 'node:assert/strict';
import { rejectsWith } from '../rejects-with.js';
import type { Store, StoreIdentity } from '@mcpinfra/core/plugin';
import { exampleEvent, exampleInstance, exampleServer } from './example-rows.js';
import { loggedIds } from './log-tail.js';
import { outcomesOf, times } from './outcomes.js';
import { durableCase, sharedCase, type StoreBench, storeCase } from './store-bench.js';
import type { Case } from '../suite.js';

const silent = { events: [] };

/** One call of each part of a store. */
function callsOf(store: Store): Readonly<Record<string, () => Promise<unknown>>> {
  return {
    'servers.get': () => store.servers.get('a'),
    'instances.list': () => store.instances.list({ limit: 1 }),
    'events.number': () => store.events.number(1),
    'events.read': () => store.events.read({ after: 0, limit: 1 }),
    'leases.list': () => store.leases.list(),
    'leases.acquire': () => store.leases.acquire(['a'], { id: 'a', ttlMs: 1000 }),
    'counters.get': () => store.counters.get('instances'),
    createServer: () => store.createServer(exampleServer(), silent),
    appendEvents: () => store.appendEvents([exampleEvent()]),
    transaction: () => store.transaction(async () => undefined),
    now: () => store.now(),
  };
}

/** What a store is opened and closed like. */
export const openingCases: readonly Case<StoreBench>[] = [
  {
    id: 'store/opening/not-started',
    text: 'Before open() every call is refused with NOT_STARTED.',
    run: async ({ harness }) => {
      for (const [name, call] of Object.entries(callsOf(harness.store))) {
        await rejectsWith(['NOT_STARTED'], `${name} before open()`, call());
      }
    },
  },
  storeCase(
    'opening/already-stopped',
    'After close() every call is refused with ALREADY_STOPPED.',
    async (store) => {
      await store.close();
      for (const [name, call] of Object.entries(callsOf(store))) {
        await rejectsWith(['ALREADY_STOPPED'], `${name} after close()`, call());
      }
    },
  ),
  storeCase('opening/close-twice', 'close() may be called again.', async (store) => {
    await Promise.all([store.close(), store.close()]);
    await store.close();
  }),
  {
    id: 'store/opening/close-unopened',
    text: 'close() of a store that was never opened resolves.',
    run: async ({ harness }) => harness.store.close(),
  },
  {
    id: 'store/opening/aborted',
    text: 'open() with a signal that is aborted rejects with ABORTED.',
    run: async ({ harness }) => {
      await rejectsWith(['ABORTED'], 'open()', harness.store.open({ signal: AbortSignal.abort() }));
    },
  },
  {
    id: 'store/opening/identity',
    text: 'open() tells the id of the store, the name of its fleet, and whether it outlives the process.',
    run: async ({ harness }) => {
      const { storeId, fleet, durable } = await harness.store.open();
      assert.equal(harness.store.specificationVersion, 'v1', 'the store says which contract it keeps');
      assert.match(storeId, /\S/u, 'storeId is not empty');
      assert.match(fleet, /\S/u, 'fleet is not empty');
      assert.equal(durable, harness.reopen !== undefined, 'durable says whether there is a reopen()');
    },
  },
  durableCase(
    'opening/identity-kept',
    'A store has the same id and the same fleet each time it is opened.',
    async (_store, bench) => {
      const { identity: first } = await bench.reopen();
      const { identity: second } = await bench.reopen();
      assert.deepEqual(second, first, 'storeId and fleet are made once and kept');
    },
  ),
  durableCase(
    'opening/rows-kept',
    'Rows, counters and saved cursors are there after the store was closed.',
    async (store, bench) => {
      const server = await store.createServer(exampleServer(), silent);
      const counters = [{ name: 'instances', by: 1 }];
      const created = await store.createInstance(exampleInstance(), { events: [], counters });
      const instance = await store.updateInstance({ ...created, status: 'running' }, silent);
      await store.events.saveCursor('group', 7);
      const { store: again } = await bench.reopen();
      assert.deepEqual(await again.servers.get(server.id), server);
      assert.deepEqual(await again.instances.get(instance.id), instance);
      assert.equal(await again.counters.get('instances'), 1, 'the counter is kept');
      assert.equal(await again.events.cursor('group'), 7, 'the cursor is kept');
    },
  ),
  durableCase(
    'opening/events-kept',
    'Events are there after the store was closed, those without a position too, and positions go on.',
    async (store, bench) => {
      await store.appendEvents([exampleEvent({ id: 'a' }), exampleEvent({ id: 'b' })]);
      await store.events.number(1);
      const { store: again } = await bench.reopen();
      assert.equal(await again.events.head(), 1, 'head() is kept');
      const numbered = await again.events.number(9);
      assert.deepEqual(
        numbered.map(({ id, position }) => [id, position]),
        [['b', 2]],
        'what was not numbered before is numbered next',
      );
      assert.deepEqual(await loggedIds(again), ['a', 'b']);
    },
  ),
  durableCase(
    'opening/last-writes',
    'A write that resolved is kept, and one that was refused is not, though close() was called meanwhile.',
    async (store, bench) => {
      const rows = times(10, async () => exampleServer());
      const servers = await Promise.all(rows);
      const writes = servers.map((server) => store.createServer(server, silent));
      const closing = store.close();
      const { won } = await outcomesOf(writes);
      await closing;
      const { store: again } = await bench.reopen();
      const kept = (await again.servers.list({ limit: 99 })).items.map(({ id }) => id);
      assert.deepEqual(kept.toSorted(), won.map(({ id }) => id).toSorted(), 'what resolved is what is kept');
    },
  ),
  {
    ...sharedCase('', '', async () => undefined),
    id: 'store/opening/together',
    text: 'Several processes that open an empty store at once agree on one identity.',
    run: async (bench) => {
      const stores = await Promise.all(times(4, () => bench.another()));
      const identities: StoreIdentity[] = await Promise.all(
        [bench.harness.store, ...stores].map((store) => store.open()),
      );
      for (const identity of identities) assert.deepEqual(identity, identities[0]);
      const server = await bench.harness.store.createServer(exampleServer(), silent);
      for (const store of stores) assert.deepEqual(await store.servers.get(server.id), server);
    },
  },
];
